// The name that one request has in answers and logs.
#pragma once

#include <string>

namespace writecanary::api {

// The client's own id when it is a short plain word (so that it can be followed across systems), else a new one that is
// unique in this process and nearly so in the fleet. Any thread.
std::string request_id_for(const std::string& offered);

}  // namespace writecanary::api
