/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks, and libraries that are not made for them. libpcsclite guards its list of contexts by a
 * process-wide mutex, held for an instant as each call begins; PKCS#11 modules hold mutexes for as
 * long as a call lasts. A fork in that time would leave them locked for ever in the child. So each
 * call passes this gate, and a fork shuts it and waits for the calls inside to end: all of them, or
 * those that began less than two seconds ago. An older one waits for a card or a person.
 *
 * A library may fork in the middle of its own call, to start a program: that does not wait for the
 * calls of its thread.
 */
#ifndef SCHSM_BASE_FORK_GATE_H
#define SCHSM_BASE_FORK_GATE_H

/* Around each call, by the same thread. May be nested. */
void schsm_gate_enter(void);
void schsm_gate_leave(void);

#endif
