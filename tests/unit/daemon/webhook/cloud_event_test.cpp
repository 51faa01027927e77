// Events as others get them, and when they are tried again.
#include "daemon/webhook/cloud_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/webhook/webhook.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

storage::EventRow finding_event() {
  return {118, 1'780'000'000'500, "finding", 12, "data", R"({"id": 3, "kind": "duplicate"})"};
}

TEST(CloudEventTest, HasTheAttributesOfTheStandardAndTheDocumentOfTheApi) {
  const auto event = nlohmann::json::parse(cloud_event(finding_event(), "db-7"));
  EXPECT_EQ(event, nlohmann::json::parse(R"({
    "specversion": "1.0", "id": "118-1780000000500", "source": "/hosts/db-7/writecanary", "type": "writecanary.finding",
    "subject": "targets/data/runs/12", "time": "2026-05-28T20:26:40.500Z", "datacontenttype": "application/json",
    "sequence": "00000000000000000118", "partitionkey": "12", "data": {"id": 3, "kind": "duplicate"}})"));
}

TEST(CloudEventTest, AnEventOfNoRunIsOfItsTarget) {
  auto row = finding_event();
  row.run_id.reset();
  const auto event = nlohmann::json::parse(cloud_event(row, "db-7"));
  EXPECT_EQ(event.at("subject"), "targets/data");
  EXPECT_FALSE(event.contains("partitionkey"));
}

TEST(CloudEventTest, AnEventOfAnIncidentIsOfIt) {
  const storage::EventRow row{118, 1, "incident.opened", 12, "data", R"({"id": 3, "incident_id": 3})"};
  const auto event = nlohmann::json::parse(cloud_event(row, "db-7"));
  EXPECT_EQ(event.at("subject"), "targets/data/incidents/3");
  EXPECT_EQ(event.at("type"), "writecanary.incident.opened");
}

TEST(WebhookSignatureTest, IsTheOneOfTheStandard) {
  // From Python: base64(hmac(key, b"msg_1.1614265330." + body, sha256)).
  EXPECT_EQ(webhook_signature("a plain secret", "msg_1", 1614265330, R"({"test": 2432232314})"),
            "v1,eWCg3w3bghgN29rdyUqGBMEO5dpqRoB80zIOYw2BdoQ=");
  EXPECT_EQ(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", 1614265330, R"({"test": 2432232314})"),
            "v1,9o7UeFkn1GjVbcY4emAJruJCYqgH2EIf8u/slvVRBZI=");
  EXPECT_THROW(webhook_signature("whsec_not base64!", "msg_1", 0, ""), std::invalid_argument);
}

TEST(WebhookTest, WaitsEverLongerButNotForever) {
  EXPECT_EQ(webhook_wait(1), std::chrono::seconds{1});
  EXPECT_EQ(webhook_wait(2), std::chrono::seconds{2});
  EXPECT_EQ(webhook_wait(5), std::chrono::seconds{16});
  EXPECT_EQ(webhook_wait(1'000'000), std::chrono::minutes{5});
}

TEST(WebhookTest, TheSecretIsReadWithoutItsLineEnd) {
  const TemporaryDirectory directory;
  directory.write("secret", "s3cret\n");
  const auto target = load_webhook({"https://events.example/x", directory.path() + "/secret"});
  ASSERT_TRUE(target);
  EXPECT_EQ(target->secret, "s3cret");
  EXPECT_FALSE(load_webhook({}));
  directory.write("empty", "\n");
  EXPECT_THROW(load_webhook({"https://events.example/x", directory.path() + "/empty"}), std::runtime_error);
  EXPECT_THROW(load_webhook({"https://events.example/x", directory.path() + "/absent"}), std::runtime_error);
  directory.write("broken", "whsec_!\n");
  EXPECT_THROW(load_webhook({"https://events.example/x", directory.path() + "/broken"}), std::runtime_error);
}

}  // namespace
}  // namespace writecanary::daemon
