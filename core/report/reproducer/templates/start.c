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
