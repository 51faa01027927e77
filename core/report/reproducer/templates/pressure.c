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
