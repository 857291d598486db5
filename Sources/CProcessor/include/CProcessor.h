#pragma once

#include <stdbool.h>

/// Asks the system for the registers of the processor's matrix tiles (AMX), for this process and for good.
///
/// Returns false where there are none or the system does not give them.
bool cprocessor_request_amx(void);
