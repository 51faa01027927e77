/*
 * An io_uring append is split, with bytes of another writer inside it.
 * Seen on XFS with every kernel from 6.0 on that was tried, and on btrfs
 * without copy on write.
 *
 * gcc torn-append.c -luring -o torn-append && ./torn-append DIRECTORY
 * DIRECTORY is on XFS. Run it as root: it makes a memory cgroup.
 * It says two lines and exits with 0: nothing, 1: seen, 2: could not.
 */

/* append-interposed: another append between the two halves of one. */
#define _GNU_SOURCE

/* parameters */
#define SEED 1ull
#define WRITES 200
#define FILE_BYTES (4ull << 20)
#define MEMORY_BYTES (64ull << 20)
#define HEADROOM_BYTES 0
#define WRITE_MIN_BYTES 0
#define WRITE_MAX_BYTES 0
#define BETWEEN 0 /* 0: a small append, 1: ftruncate(), 2: fallocate() */
#define TORN_COUNTS 1
/* end of parameters */

/* ---- what happens around it: a scratch directory, a child, two lines ---- */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING = 0, SEEN = 1, COULD_NOT = 2 };

static char scratch[PATH_MAX]; /* below the directory that was given */
static pid_t parent;
static int *said; /* shared: one process has the last word */

static void clean_up(void);

/* The two lines, and the end. */
__attribute__((noreturn)) static void say(int verdict, const char *first,
					  const char *second)
{
	static const char *const words[] = { "nothing", "seen", "could not" };
	struct utsname kernel;

	if (said && __atomic_exchange_n(said, 1, __ATOMIC_SEQ_CST))
		_exit(verdict);
	uname(&kernel);
	printf("%s: %s\n", words[verdict], first);
	printf("Linux %s: %s\n", kernel.release, second);
	fflush(stdout);
	if (getpid() == parent)
		clean_up();
	_exit(verdict);
}

__attribute__((noreturn, format(printf, 1, 2))) static void
could_not(const char *format, ...)
{
	int error = errno;
	char why[512];
	va_list list;

	va_start(list, format);
	vsnprintf(why, sizeof(why), format, list);
	va_end(list);
	say(COULD_NOT, why, error ? strerror(error) : "no call failed");
}

static uint64_t file_size(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		could_not("fstat");
	return status.st_size;
}

static void clean_up(void)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct dirent *entry;
	DIR *dir = opendir(scratch);

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", scratch, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(scratch);
}

/* In the parent, around each attempt. */
static void prepare(void);
static void put_away(void);
/* What this is about, in a child; ends with say(). */
static void attempt(void);

static pid_t child;

static void pass_on(int number)
{
	kill(child, number); /* and go on, to clean up */
}

/* A process of this, that ends with its parent. */
static pid_t fork_bound(void)
{
	pid_t made = fork();

	if (made < 0)
		could_not("fork");
	if (made == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	return made;
}

/* An attempt that the kernel kills for want of memory has shown nothing. */
int main(int argc, char **argv)
{
	int status = 0, left = 3;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return COULD_NOT;
	}
	parent = getpid();
	said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED) {
		perror("mmap");
		return COULD_NOT;
	}
	snprintf(scratch, sizeof(scratch), "%s/repro-XXXXXX", argv[1]);
	if (!mkdtemp(scratch)) {
		scratch[0] = 0;
		could_not("make a directory in %s", argv[1]);
	}
	do {
		prepare();
		child = fork_bound();
		if (child == 0) {
			if (chdir(scratch))
				could_not("enter %s", scratch);
			attempt();
			_exit(COULD_NOT);
		}
		signal(SIGINT, pass_on);
		signal(SIGTERM, pass_on);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		put_away();
	} while (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && --left);
	errno = 0;
	if (WIFSIGNALED(status))
		could_not("killed by signal %d, the kernel log may say why",
			  WTERMSIG(status));
	clean_up();
	return WEXITSTATUS(status);
}
/* ---- what is written, and whether it stands in the file ---- */

/* xorshift64*: the same seed, the same run. */
static uint64_t random_state = SEED * 2 + 1;

static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717ull;
}

/*
 * Each 64-bit word names its writer, its append and its place in that append,
 * so that a word in the wrong place tells where it belongs.
 */
#define MARK 0xa5ull
#define APPENDS_MAX 4096

static uint64_t word_of(unsigned writer, unsigned append, unsigned place)
{
	return MARK << 56 | (uint64_t)writer << 52 | (uint64_t)append << 28 |
	       place;
}

static void fill(uint64_t *words, unsigned writer, unsigned append,
		 unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		words[i] = word_of(writer, append, i);
}

/* What was acknowledged, in words; shared by all who write. */
struct journal {
	unsigned appends[16];
	unsigned words[16][APPENDS_MAX];
};
static struct journal *journal;

static void new_journal(void)
{
	if (!journal)
		journal =
			mmap(NULL, sizeof(*journal), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (journal == MAP_FAILED)
		could_not("map memory");
	memset(journal, 0, sizeof(*journal));
}

static void acknowledge(unsigned writer, int64_t bytes)
{
	if (journal->appends[writer] == APPENDS_MAX)
		could_not("too many appends for one file");
	journal->words[writer][journal->appends[writer]++] =
		bytes > 0 ? bytes / sizeof(uint64_t) : 0;
}

/* Sums over all files of this run. */
static struct {
	unsigned long appends, duplicate, torn, missing, other;
	uint64_t acknowledged, found;
	char first[256];
} sum;

static void note(unsigned long *kind, const char *name, const char *file,
		 uint64_t offset, uint64_t word, const char *how)
{
	++*kind;
	/* What is missing here may be found further on. */
	if (!sum.first[0] || !strncmp(sum.first, "missing", 7))
		snprintf(sum.first, sizeof(sum.first),
			 "%s: at offset %llu of %s, word %u of append %u of "
			 "writer %u %s",
			 name, (unsigned long long)offset, file,
			 (unsigned)(word & 0xfffffff),
			 (unsigned)(word >> 28 & 0xffffff),
			 (unsigned)(word >> 52 & 0xf), how);
}

/*
 * Reads the file from its beginning. A place where a word does not follow the
 * one before is a seam: it is right only where an append begins.
 * `zeros_are_ours`: the file was made longer on purpose.
 */
static void check_file(const char *name, int zeros_are_ours)
{
	static unsigned seen[16][APPENDS_MAX];
	static uint64_t chunk[8192];
	uint64_t before = 0, offset = 0;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		could_not("open %s", name);
	memset(seen, 0, sizeof(seen));
	while ((got = pread(fd, chunk, sizeof(chunk), offset)) > 0) {
		for (ssize_t i = 0; i < got / 8; i++, before = chunk[i - 1]) {
			uint64_t word = chunk[i], at = offset + i * 8;
			unsigned writer = word >> 52 & 0xf;
			unsigned append = word >> 28 & 0xffffff;
			unsigned place = word & 0xfffffff;
			int ours = word >> 56 == MARK &&
				   append < journal->appends[writer] &&
				   place < journal->words[writer][append];

			if (!ours) {
				if (word == before ||
				    (word == 0 && zeros_are_ours))
					continue;
				note(&sum.other, "other", name, at, word,
				     "does not belong to this file");
				continue;
			}
			if (word != before + 1 || place == 0) {
				if (place < seen[writer][append])
					note(&sum.duplicate, "duplicate", name,
					     at, word, "stands a second time");
				else if (place > seen[writer][append])
					note(&sum.missing, "missing", name, at,
					     word, "comes too early");
				else if (place != 0)
					note(&sum.torn, "torn", name, at, word,
					     "goes on behind other bytes");
			}
			if (place >= seen[writer][append])
				seen[writer][append] = place + 1;
		}
		offset += got;
	}
	if (got < 0)
		could_not("read %s", name);
	close(fd);
	sum.found += offset;
	for (unsigned writer = 0; writer < 16; writer++) {
		for (unsigned a = 0; a < journal->appends[writer]; a++) {
			unsigned words = journal->words[writer][a];

			sum.appends++;
			sum.acknowledged += words * 8ull;
			if (seen[writer][a] < words)
				note(&sum.missing, "missing", name, offset,
				     word_of(writer, a, seen[writer][a]),
				     "is nowhere");
		}
	}
}

/* Ends the run. `exposed` of `tries` went the way that this is about. */
static void conclude(unsigned long exposed, unsigned long tries,
		     const char *way)
{
	unsigned long wrong = sum.duplicate + sum.missing + sum.other;
	char first[512], second[512];

	snprintf(second, sizeof(second),
		 "%lu of %lu %s, %llu bytes acknowledged, %llu in the files",
		 exposed, tries, way, (unsigned long long)sum.acknowledged,
		 (unsigned long long)sum.found);
	snprintf(first, sizeof(first),
		 "duplicate %lu, torn %lu, missing %lu, other %lu in %lu "
		 "appends; %s",
		 sum.duplicate, sum.torn, sum.missing, sum.other, sum.appends,
		 sum.first);
	if (wrong || (TORN_COUNTS && sum.torn))
		say(SEEN, first, second);
	if (exposed * 10 < tries || !exposed)
		say(COULD_NOT, "the kernel did not go the way this is about",
		    second);
	if (sum.torn)
		say(NOTHING, "but for torn appends, which this is not about",
		    second);
	say(NOTHING, "every acknowledged byte stands where it belongs", second);
}
/* ---- a memory cgroup of our own, whose limit is moved around a write ---- */

#define UNITS_OF_HEADROOM 12 /* pages that an attempt is given */

/* What the page cache takes at once: a page, or a larger block. */
static uint64_t unit_bytes(void)
{
	struct statfs fs;
	uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t block = statfs(scratch, &fs) ? page : (uint64_t)fs.f_bsize;

	return block < page || block > 65536 ? page : block;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		could_not("write \"%s\" to %s", text, path);
	close(fd);
}

static char cgroup[PATH_MAX * 2];
static int cgroup_version, limit_fd = -1, usage_fd = -1;

/* Where the memory controller is mounted, version 2 or 1. */
static void find_cgroup(void)
{
	char line[8192], where[PATH_MAX], type[64], options[4096];
	char list[PATH_MAX + 32], words[1024];
	FILE *table = fopen("/proc/self/mountinfo", "re");
	FILE *controllers;

	while (table && fgets(line, sizeof(line), table)) {
		char *dash = strstr(line, " - ");

		if (!dash || sscanf(line, "%*s %*s %*s %*s %4095s", where) != 1)
			continue;
		if (sscanf(dash, " - %63s %*s %4095s", type, options) != 2)
			continue;
		if (!strcmp(type, "cgroup") && strstr(options, "memory")) {
			cgroup_version = 1;
			break;
		}
		if (strcmp(type, "cgroup2"))
			continue;
		snprintf(list, sizeof(list), "%s/cgroup.controllers", where);
		controllers = fopen(list, "re");
		if (controllers && fgets(words, sizeof(words), controllers) &&
		    strstr(words, "memory"))
			cgroup_version = 2;
		if (controllers)
			fclose(controllers);
		if (cgroup_version)
			break;
	}
	if (table)
		fclose(table);
	errno = 0;
	if (!cgroup_version)
		could_not("no memory cgroup is mounted");
	if (cgroup_version == 2) {
		snprintf(list, sizeof(list), "%s/cgroup.subtree_control",
			 where);
		write_text(list, "+memory");
	}
	snprintf(cgroup, sizeof(cgroup), "%s/repro-%d", where, getpid());
}

static void prepare(void)
{
	if (!cgroup_version)
		find_cgroup();
	if (mkdir(cgroup, 0755))
		could_not("make the cgroup %s (as root?)", cgroup);
}

static void put_away(void)
{
	/* A process that has just ended leaves it a moment later. */
	for (int i = 0; i < 1000 && rmdir(cgroup) && errno == EBUSY; i++)
		usleep(1000);
}

static int cgroup_file(const char *v2, const char *v1, int flags)
{
	char path[sizeof(cgroup) + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cgroup,
		 cgroup_version == 2 ? v2 : v1);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		could_not("open %s", path);
	return fd;
}

static int set_limit(uint64_t bytes)
{
	char text[32];
	int length =
		snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);

	return pwrite(limit_fd, text, length, 0) == length;
}

static void relieve(void)
{
	while (!set_limit(MEMORY_BYTES))
		if (errno != EINTR)
			could_not("set the limit of %s", cgroup);
}

/* The limit comes to what is used, and leaves so much. */
static void tighten(uint64_t headroom)
{
	char text[32];
	ssize_t got;

	for (int i = 0; i < 4; i++) {
		got = pread(usage_fd, text, sizeof(text) - 1, 0);
		if (got <= 0)
			could_not("read the use of %s", cgroup);
		text[got] = 0;
		if (set_limit(strtoull(text, NULL, 10) + headroom))
			return;
	}
}

static void enter_cgroup(void)
{
	int fd = cgroup_file("cgroup.procs", "cgroup.procs", O_WRONLY);

	limit_fd = cgroup_file("memory.max", "memory.limit_in_bytes", O_WRONLY);
	usage_fd = cgroup_file("memory.current", "memory.usage_in_bytes",
			       O_RDONLY);
	relieve();
	if (write(fd, "0", 1) != 1)
		could_not("enter %s", cgroup);
	close(fd);
	if (cgroup_version == 1) {
		/* Who finds no memory waits for the limit to go up again. */
		fd = cgroup_file("", "memory.oom_control", O_WRONLY);
		if (write(fd, "1", 1) != 1)
			could_not("write memory.oom_control");
		close(fd);
	}
	mlockall(MCL_CURRENT | MCL_FUTURE);
}

/*
 * The kernel charges 64 pages at a time and keeps the rest for the CPU, so an
 * attempt can get so much more than the headroom: a write must be larger.
 */
static uint64_t headroom_bytes(void)
{
	uint64_t page = sysconf(_SC_PAGESIZE), unit = unit_bytes();

	if (HEADROOM_BYTES)
		return HEADROOM_BYTES;
	return page * UNITS_OF_HEADROOM > 3 * unit ? page * UNITS_OF_HEADROOM
						   : 3 * unit;
}

static uint64_t least_bytes(void)
{
	uint64_t page = sysconf(_SC_PAGESIZE), unit = unit_bytes();
	uint64_t margin = 12 * page > 2 * unit ? 12 * page : 2 * unit;

	return WRITE_MIN_BYTES ? WRITE_MIN_BYTES
			       : headroom_bytes() + 64 * page + margin;
}

static uint64_t most_bytes(void)
{
	uint64_t page = sysconf(_SC_PAGESIZE), unit = unit_bytes();
	uint64_t spread = 32 * page > 4 * unit ? 32 * page : 4 * unit;
	uint64_t most = WRITE_MAX_BYTES ? WRITE_MAX_BYTES : 0;

	return most > least_bytes() ? most : least_bytes() + spread;
}

/* A length for the next append, in words. */
static unsigned next_words(void)
{
	uint64_t least = least_bytes();

	return (least + next_random() % (most_bytes() - least + 1)) / 8;
}

/* Room for one, which need not be faulted in while the limit is low. */
static uint64_t *new_buffer(void)
{
	void *memory = mmap(NULL, most_bytes(), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		could_not("map memory");
	return memory;
}

/* ---- so that the attempt begins at all ---- */

/*
 * A non-blocking write gives up before its first byte when the timestamps must
 * be updated, that is when they are of an earlier timer tick. So make them
 * current, at the beginning of a tick. Nothing may stat the file after that:
 * since 6.13 it would make them be updated again.
 */
static void arm(int fd)
{
	const struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

	if (futimens(fd, now))
		could_not("futimens");
}

static void wait_for_tick(void)
{
	uint64_t tick = now_ns(CLOCK_REALTIME_COARSE);

	while (now_ns(CLOCK_REALTIME_COARSE) == tick)
		;
}

/*
 * Nor does it begin when this task has dirtied more pages than it may; a small
 * blocking write settles that account.
 */
static void pace(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("pacer", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || (pwrite(fd, "pacer...", 8, 0) < 0 && errno != ENOMEM))
		could_not("write the file pacer");
}
/* ---- io_uring, and a gate before its workers ---- */

#include <liburing.h>

#define WRITE_ID 1
#define GATE_ID 2

static struct io_uring ring;
static char gate_path[64];

/*
 * The kernel hands a write that gave up to a worker. There is one, and it is
 * busy opening a FIFO for as long as the gate is closed: so what the attempt
 * left in the file can be looked at before the worker goes on.
 */
static void open_ring(int number)
{
	unsigned int workers[2] = { 1, 0 };
	int fifo, error = io_uring_queue_init(8, &ring, 0);
	char name[64];

	errno = -error;
	if (error < 0)
		could_not("io_uring_setup");
	error = io_uring_register_iowq_max_workers(&ring, workers);
	errno = -error;
	if (error < 0)
		could_not("limit the workers of io_uring (Linux 5.15)");
	/* Any filesystem will do for the FIFO, and it needs no name. */
	snprintf(name, sizeof(name), "gate-%d", number);
	if (mkfifo(name, 0600)) {
		snprintf(name, sizeof(name), "/tmp/repro-gate-%d", getpid());
		if (mkfifo(name, 0600))
			could_not("make a FIFO");
	}
	fifo = open(name, O_PATH | O_CLOEXEC);
	if (fifo < 0 || unlink(name))
		could_not("open the FIFO");
	snprintf(gate_path, sizeof(gate_path), "/proc/self/fd/%d", fifo);
}

static struct io_uring_sqe *next_sqe(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		could_not("the ring is full");
	return sqe;
}

static void submit(void)
{
	int error = io_uring_submit(&ring);

	errno = error < 0 ? -error : 0;
	if (error < 0)
		could_not("io_uring_enter");
}

static void close_gate(void)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_openat(sqe, AT_FDCWD, gate_path, O_RDONLY, 0);
	sqe->user_data = GATE_ID;
	sqe->flags |= IOSQE_ASYNC;
	submit();
}

/* Whether the write has completed within the submitting call. */
static int completed_inline(void)
{
	struct io_uring_cqe *cqe;

	return !io_uring_peek_cqe(&ring, &cqe) && cqe->user_data == WRITE_ID;
}

/* Lets the worker go on; returns the result of the write. */
static int64_t open_gate(void)
{
	int fifo = open(gate_path, O_RDWR | O_CLOEXEC), left = 2;
	int64_t result = 0;
	struct io_uring_cqe *cqe;

	if (fifo < 0)
		could_not("open the FIFO");
	while (left) {
		int error = io_uring_wait_cqe(&ring, &cqe);

		if (error == -EINTR)
			continue;
		errno = -error;
		if (error < 0)
			could_not("wait for a completion");
		if (cqe->user_data == WRITE_ID)
			result = cqe->res;
		else if (cqe->res >= 0)
			close(cqe->res);
		io_uring_cqe_seen(&ring, cqe);
		left--;
	}
	close(fifo);
	return result;
}

/* Makes the worker, and touches what the narrow moment will need. */
static void rehearse(void)
{
	struct io_uring_sqe *sqe;

	close_gate();
	sqe = next_sqe();
	io_uring_prep_nop(sqe);
	sqe->user_data = WRITE_ID;
	submit();
	open_gate();
	tighten(8 << 20);
	relieve();
}

/*
 * Submits an append with too little memory for it. Returns how far its attempt
 * got before it gave up; 0: not a byte, or all of it at once.
 */
static uint64_t submit_trapped(int fd, const uint64_t *words, unsigned count)
{
	struct io_uring_sqe *sqe;
	uint64_t before, left = 0;

	sqe = next_sqe();
	io_uring_prep_write(sqe, fd, words, count * 8, -1);
	sqe->user_data = WRITE_ID;
	before = file_size(fd);
	pace();
	wait_for_tick();
	tighten(headroom_bytes());
	arm(fd);
	submit();
	if (!completed_inline())
		left = file_size(fd) - before;
	relieve();
	return left;
}

#define SMALL_BYTES_MAX 8192

static void come_between(int fd)
{
	static uint64_t words[SMALL_BYTES_MAX / 8];
	unsigned count = 128 + next_random() % (SMALL_BYTES_MAX / 8 - 128);
	uint64_t size = file_size(fd);

	if (BETWEEN == 1) {
		if (ftruncate(fd, size + count * 8))
			could_not("ftruncate");
	} else if (BETWEEN == 2) {
		if (fallocate(fd, 0, size, count * 8))
			could_not("fallocate");
	} else {
		fill(words, 1, journal->appends[1], count);
		acknowledge(1, write(fd, words, count * 8));
	}
}

/*
 * open(2): with O_APPEND "the modification of the file offset and the write
 * operation are performed as a single atomic step". The attempt stops part-way,
 * a small write() goes to the same file, and then the worker goes on.
 */
static void attempt(void)
{
	uint64_t *words;
	unsigned long exposed = 0, made = 0;
	char name[32];
	int files = 0;

	enter_cgroup();
	words = new_buffer();
	open_ring(0);
	rehearse();
	while (made < WRITES) {
		int fd, other;

		snprintf(name, sizeof(name), "file-%d", ++files);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
		other = open(name, O_WRONLY | O_APPEND);
		if (fd < 0 || other < 0)
			could_not("make %s", name);
		new_journal();
		while (made < WRITES && file_size(fd) < FILE_BYTES) {
			unsigned count = next_words();

			fill(words, 0, journal->appends[0], count);
			close_gate();
			if (submit_trapped(fd, words, count)) {
				exposed++;
				come_between(other);
			}
			acknowledge(0, open_gate());
			made++;
		}
		check_file(name, BETWEEN != 0);
		close(other);
		close(fd);
		unlink(name);
	}
	conclude(exposed, made, "appends stopped part-way");
}
