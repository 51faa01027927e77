// One of our events as others get it: a CloudEvents 1.0 document with the data of the API inside, and its signature
// after Standard Webhooks (standardwebhooks.com), for which receivers find libraries. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/tables/records.h"

namespace writecanary::daemon {

// The same for each attempt to deliver the event, and not used again by a database that begins anew.
std::string cloud_event_id(const storage::EventRow& event);

// JSON, structured mode. `host` is this host's name. `sequence` grows with each event of this daemon; `partitionkey` is
// the run, within which the order of delivery is the order of events.
std::string cloud_event(const storage::EventRow& event, const std::string& host);

// "v1," and the base64 of the HMAC-SHA256 of "id.timestamp.body". The key is the secret as it stands, or what it says
// in base64 when it begins with "whsec_". Throws std::invalid_argument when that is no base64.
std::string webhook_signature(std::string_view secret, const std::string& id, std::int64_t unix_seconds,
                              std::string_view body);

}  // namespace writecanary::daemon
