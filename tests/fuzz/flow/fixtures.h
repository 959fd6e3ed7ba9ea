/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_FIXTURES_H
#define FLOW_FIXTURES_H

#include "flow.h"

/* Makes flow_fixtures, once; they stay until the process ends. */
void flow_make_fixtures(void);

#endif
