/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many operations are under way at each place where a device may be, or wait there: of all
 * threads of this process, and of all processes that share the table because they were forked after
 * it was made. What a process that died had under way does not count any more.
 */
#ifndef SCHSM_POOL_LOAD_H
#define SCHSM_POOL_LOAD_H

/* To be called before the fork whose children are to know of each other. Without it each process
 * knows of its own operations. */
void schsm_load_share(void);

/* The number of a place (schsm_device_place), the same in all these processes; -1 where there are
 * too many of them, which is then a place without load. */
int schsm_load_place(const char *name);

/* How many operations wait at a place. */
unsigned int schsm_load_waiting(int place);

/* One more waits there; returns how many did before. */
unsigned int schsm_load_enter(int place);
void schsm_load_leave(int place);

/* To be called now and then, within a second, while operations of this process are under way: who
 * is silent for longer is taken for dead. */
void schsm_load_show_life(void);

#endif
