/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_CLOCK_H
#define FLOW_CLOCK_H

/* The clock that is never set begins anew: a run has the same time as the one before. */
void flow_clock_start(void);

#endif
