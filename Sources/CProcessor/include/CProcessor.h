#pragma once

#include <stdbool.h>

/// Asks the system for the registers of the processor's matrix tiles (AMX), for this process and for good.
///
/// Returns false where there are none or the system does not give them.
bool cprocessor_request_amx(void);

/// How many processors this thread may run on, which `taskset` and containers restrict.
///
/// Returns 0 where the system does not say, or has more of them than its `cpu_set_t` names.
int cprocessor_usable_count(void);
