/* append-concurrent: several processes append to one file, each by a ring. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define WRITES 200
#define MEMORY_BYTES (64ull << 20)
#define HEADROOM_BYTES 0
#define WRITE_MIN_BYTES 0
#define WRITE_MAX_BYTES 0
#define WRITERS 3
#define RECORDS_PER_FILE 8
#define HOLD_US 20000 /* how long a worker is kept waiting for the others */
#define TORN_COUNTS 1
/* end of parameters */

#include "start.c"
#include "words.c"
#include "pressure.c"
#include "ring.c"

#include <pthread.h>

static struct shared {
	pthread_mutex_t low; /* held by the one who has the limit low */
	unsigned arrived;
	unsigned begun, ended; /* workers that may write to the file */
	unsigned long exposed, made;
} * shared;

static void new_shared(void)
{
	pthread_mutexattr_t attributes;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (shared == MAP_FAILED)
		could_not("map memory");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->low, &attributes);
}

/* As behind busy workers: until somebody else's bytes are in the file. */
static void hold(int fd)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + HOLD_US * 1000ull;
	off_t size = lseek(fd, 0, SEEK_END);

	while (now_ns(CLOCK_MONOTONIC) < end && lseek(fd, 0, SEEK_END) == size)
		usleep(20);
}

#define load(where) __atomic_load_n(where, __ATOMIC_SEQ_CST)
#define add(where) __atomic_add_fetch(where, 1, __ATOMIC_SEQ_CST)

/*
 * How far the attempt got; 0 also where nobody knows, because another writer's
 * worker may have made the file longer meanwhile.
 */
static uint64_t submit_alone(int fd, const uint64_t *words, unsigned count,
			     int *punted)
{
	unsigned ended, begun;
	uint64_t left;

	pthread_mutex_lock(&shared->low);
	for (int i = 0; i < 250 && load(&shared->begun) != load(&shared->ended);
	     i++)
		usleep(20);
	ended = load(&shared->ended);
	begun = load(&shared->begun);
	left = submit_trapped(fd, words, count);
	if (begun != ended || load(&shared->begun) != begun)
		left = 0;
	*punted = !completed_inline();
	pthread_mutex_unlock(&shared->low);
	return left;
}

/* Not while another's attempt is looked at. */
static int64_t let_worker_go_on(void)
{
	int64_t result;

	pthread_mutex_lock(&shared->low);
	add(&shared->begun);
	pthread_mutex_unlock(&shared->low);
	result = open_gate();
	add(&shared->ended);
	return result;
}

static void append_records(int writer, const char *name)
{
	uint64_t *words = new_buffer();
	int fd = open(name, O_RDWR | O_APPEND);

	if (fd < 0)
		could_not("open %s", name);
	random_state ^= writer * 0x9e3779b97f4a7c15ull;
	open_ring(writer);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	rehearse();
	add(&shared->arrived);
	while (load(&shared->arrived) < WRITERS)
		usleep(20);
	for (unsigned i = 0; i < RECORDS_PER_FILE; i++) {
		unsigned count = next_words();
		int punted;

		fill(words, writer, i, count);
		close_gate();
		if (submit_alone(fd, words, count, &punted))
			add(&shared->exposed);
		if (punted && next_random() >> 63)
			hold(fd);
		acknowledge(writer, let_worker_go_on());
		add(&shared->made);
	}
	_exit(NOTHING);
}

/* One that was killed ends the attempt, as if it were this process. */
static void wait_for_writers(void)
{
	int status, left = WRITERS;
	pid_t ended;

	while (left) {
		ended = waitpid(-1, &status, WNOHANG);
		if (ended < 0)
			could_not("wait for a writer");
		if (ended == 0) {
			usleep(20000);
			relieve(); /* for who may have been caught by it */
			continue;
		}
		if (WIFSIGNALED(status))
			kill(getpid(), WTERMSIG(status));
		if (WEXITSTATUS(status) != NOTHING)
			_exit(WEXITSTATUS(status)); /* it has said why */
		left--;
	}
}

/*
 * While one writer's append waits for its worker, another's lands in its
 * middle; what append-interposed makes certain happens by itself here.
 */
static void attempt(void)
{
	char name[32];
	int files = 0;

	enter_cgroup();
	new_shared();
	while (shared->made < WRITES) {
		int fd;

		snprintf(name, sizeof(name), "file-%d", ++files);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			could_not("make %s", name);
		new_journal();
		next_random();
		shared->arrived = 0;
		for (int i = 0; i < WRITERS; i++)
			if (fork_bound() == 0)
				append_records(i, name);
		wait_for_writers();
		relieve();
		check_file(name, 0);
		close(fd);
		unlink(name);
	}
	conclude(shared->exposed, shared->made, "appends stopped part-way");
}
