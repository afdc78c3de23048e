// SPDX-License-Identifier: Apache-2.0
/*
 * Signals interrupt the chain a thousand times a second, every other one handled on a stack of its own; the handlers burn
 * about a tenth of the time and a chain of calls themselves. `signals SECONDS TRUTH`. With SA_SIGINFO as SIGNAL_FLAGS, i386 has another frame.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>
#include "planted.h"

PLANTED void planted_handler(int turns)
{
	FRAME();
	planted_burn(turns);
}

PLANTED uint64_t from_handler(uint64_t n)
{
	planted_handler((int)n);
	return planted_sink + 1;
}

PLANTED void on_signal(int signal)
{
	uint64_t before = planted_cpu_ns();

	(void)signal;
	from_handler(40000);
	planted_handler_ns += planted_cpu_ns() - before;
}

PLANTED void drive(uint64_t until)
{
	while (planted_cpu_ns() < until)
		level_01(0);
}

#ifndef SIGNAL_FLAGS
#define SIGNAL_FLAGS 0
#endif

static void handle(int signal, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SIGNAL_FLAGS | flags };

	/* One handler is never interrupted by the other: a nanosecond is booked once. */
	sigfillset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

int main(int argc, char **argv)
{
	static char room[256 * 1024];
	stack_t other = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	/* Not 1 ms: the sampling clock at 999 Hz would go round with it once a second. */
	struct itimerspec every = { { 0, 871000 }, { 0, 871000 } };
	struct itimerval of_cpu = { { 0, 1000 }, { 0, 1000 } };
	timer_t timer;
	FILE *truth;

	if (argc != 3)
		return 2;
	sigaltstack(&other, NULL);
	handle(SIGALRM, SA_ONSTACK);
	handle(SIGPROF, 0);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &every, NULL) != 0 ||
	    setitimer(ITIMER_PROF, &of_cpu, NULL) != 0)
		return 1;
	drive((uint64_t)(atof(argv[1]) * 1e9));
	timer_delete(timer);
	of_cpu = (struct itimerval){ 0 };
	setitimer(ITIMER_PROF, &of_cpu, NULL);
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive");
	planted_truth_totals(truth);
	fprintf(truth, "total planted_handler %llu\n", (unsigned long long)planted_handler_ns);
	return planted_truth_close(truth);
}
