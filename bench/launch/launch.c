// launch runs a program once and writes what it took to file descriptor 3: nanoseconds of
// time, microseconds of CPU with all that it waited for, and KiB resident at most. It ends a
// program that takes minutes. It is C, because a process is told no less memory than its parent has between fork and exec.
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT = 300 }; // seconds

static volatile pid_t child;

static void late(int signal) {
	(void)signal;
	if (child > 0)
		kill(child, SIGKILL);
}

static long long microseconds(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(int argc, char **argv) {
	struct timespec began, ended;
	struct rusage used;
	int status;
	if (argc < 2 || clock_gettime(CLOCK_MONOTONIC, &began))
		return 125;
	signal(SIGALRM, late);
	alarm(LIMIT);
	pid_t started = vfork();
	if (started == 0) {
		close(3);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	child = started;
	if (started < 0 || wait4(started, &status, 0, &used) != started || clock_gettime(CLOCK_MONOTONIC, &ended))
		return 126;
	dprintf(3, "%lld %lld %ld\n",
		(ended.tv_sec - began.tv_sec) * 1000000000LL + (ended.tv_nsec - began.tv_nsec),
		microseconds(used.ru_utime) + microseconds(used.ru_stime),
#ifdef __APPLE__
		used.ru_maxrss >> 10
#else
		used.ru_maxrss
#endif
	);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
