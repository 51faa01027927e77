// Prefer: wait=N (RFC 7240): a request that starts runs is answered when they have ended, or after N seconds.
//
// Whoever waits keeps a thread, as an event stream does, and so takes one of the same slots. When none is free nobody
// waits: a preference is no promise, and the answer says whether it was followed (Preference-Applied).
#pragma once

#include "api/routes/routes.h"

namespace writecanary::api {

class RunWaiter {
 public:
  // What the context names must outlive this.
  explicit RunWaiter(const RouteContext& context) : services_(context.services), streams_(context.streams) {}

  const Services& services() const { return services_; }
  // Waits as far as the request prefers it and a slot is free. Whether all runs of the order have ended by then; false
  // at once for who does not wait. Throws StorageError.
  bool wait(Call& call, const Accepted& accepted) const;

 private:
  Services services_;
  StreamSlots* streams_;
};

}  // namespace writecanary::api
