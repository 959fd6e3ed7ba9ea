/* SPDX-License-Identifier: Apache-2.0 */
/* What sc-hsm-sim says about itself on stdout, all of it printed from the tables it works by. */
#ifndef SIM_MANUAL_H
#define SIM_MANUAL_H

/* The answer to --help. */
void sim_manual_help(void);

/* The answer to --version. */
void sim_manual_version(void);

/* The sections of docs/sc-hsm-sim.1.in that follow from tables, for a test to compare. */
void sim_manual_page(void);

/* The completion of the command line for bash. */
void sim_manual_completion(void);

#endif
