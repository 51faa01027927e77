// cpp-httplib as the tests use it: a client that is not ours for our server, and a server that is not ours for our
// client. The only file of the tests that includes it.
#pragma once

#include <httplib.h>
