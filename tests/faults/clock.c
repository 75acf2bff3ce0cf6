/* A wall clock that steps at its n-th reading, for LD_PRELOAD; every other clock goes on as it was. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_int count;
static int from, step_s;

void perwatt_clock_step(int reading, int seconds) { from = reading, step_s = seconds, count = 0; }

int perwatt_clock_readings(void) { return count; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && ++count >= from && from) now->tv_sec += step_s;
    return answer;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    int answer = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec, now->tv_usec = exact.tv_nsec / 1000;
    return answer;
}

time_t time(time_t *kept) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept) *kept = exact.tv_sec;
    return exact.tv_sec;
}
