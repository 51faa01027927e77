#include "api/openapi/openapi.h"

#include <fmt/format.h>

#include <regex>
#include <set>

#include "api/routes/routes.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

class OpenApiTest : public ApiTest {
 protected:
  json document = get("/api/v1/openapi.json");

  const json& resolve(const json& schema) const {
    if (!schema.contains("$ref")) return schema;
    const auto pointer = schema.at("$ref").get<std::string>().substr(1);
    return document.at(json::json_pointer(pointer));
  }

  // The part of JSON Schema that the description uses. Empty when the value fits, else what does not.
  std::string mismatch(const json& value, const json& given, const std::string& where) const {
    const json& schema = resolve(given);
    if (schema.contains("anyOf")) {
      std::string last;
      for (const auto& each : schema["anyOf"]) {
        last = mismatch(value, each, where);
        if (last.empty()) return {};
      }
      return last;
    }
    const auto type = schema.value("type", "");
    const bool fits = (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
                      (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean()) ||
                      (type == "null" && value.is_null()) || (type == "array" && value.is_array()) ||
                      (type == "object" && value.is_object());
    if (!fits) return where + " is no " + type + ": " + value.dump();
    if (schema.contains("enum") && !schema["enum"].is_null()) {
      bool found = false;
      for (const auto& each : schema["enum"]) found = found || each == value;
      if (!found) return where + " is not in the list: " + value.dump();
    }
    if (type == "array") return mismatch_of_items(value, schema, where);
    return type == "object" ? mismatch_of_fields(value, schema, where) : "";
  }

  std::string mismatch_of_items(const json& value, const json& schema, const std::string& where) const {
    for (std::size_t i = 0; i < value.size(); ++i) {
      auto wrong = mismatch(value[i], schema.at("items"), where + "[" + std::to_string(i) + "]");
      if (!wrong.empty()) return wrong;
    }
    return {};
  }

  std::string mismatch_of_fields(const json& value, const json& schema, const std::string& where) const {
    for (const auto& name : schema.value("required", json::array())) {
      if (!value.contains(name.get<std::string>())) return where + " lacks " + name.dump();
    }
    if (!schema.contains("properties") && !schema.contains("additionalProperties")) return {};
    const auto properties = schema.value("properties", json::object());
    for (const auto& [name, field] : value.items()) {
      const bool known = properties.contains(name);
      if (!known && !schema.contains("additionalProperties"))
        return fmt::format("{} has an undescribed field {}", where, name);
      auto wrong = mismatch(field, known ? properties.at(name) : schema.at("additionalProperties"),
                            fmt::format("{}.{}", where, name));
      if (!wrong.empty()) return wrong;
    }
    return {};
  }

  const json& schema_of(const std::string& path, const std::string& method, const std::string& status) const {
    return document.at("paths")
        .at(path)
        .at(method)
        .at("responses")
        .at(status)
        .at("content")
        .at("application/json")
        .at("schema");
  }
};

TEST_F(OpenApiTest, DescribesExactlyTheRoutedCalls) {
  StreamSlots slots(1);
  const auto routes = all_routes({{reader, daemon, board, hub, metrics, catalogue, clock}, "", &slots});
  std::set<std::string> routed;
  std::set<std::string> described;
  for (const auto& route : routes) {
    if (!route.operation.is_page) routed.insert(route.method + " " + route.pattern);
  }
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      described.insert((method == "get" ? "GET " : "POST ") + path);
      EXPECT_FALSE(operation.at("summary").get<std::string>().empty());
    }
  }
  EXPECT_EQ(described, routed);
  EXPECT_EQ(routed.size(), 34U);
}

// Paths from the description, tried on the running server: none is unknown to it.
TEST_F(OpenApiTest, EveryDescribedPathIsServed) {
  auto http = client();
  for (const auto& [path, methods] : document["paths"].items()) {
    const std::string real = std::regex_replace(path, std::regex("\\{[a-z]+\\}"), "1");
    const auto answer = http.Options(real);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 405) << path;
    EXPECT_EQ(answer->get_header_value("Allow").find("GET") != std::string::npos, methods.contains("get")) << path;
    EXPECT_EQ(answer->get_header_value("Allow").find("POST") != std::string::npos, methods.contains("post")) << path;
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::size_t count = 0;
  const std::function<void(const json&)> visit = [&](const json& node) {
    if (node.is_object() && node.contains("$ref")) {
      ++count;
      EXPECT_TRUE(document.contains(json::json_pointer(node["$ref"].get<std::string>().substr(1)))) << node;
    }
    if (node.is_structured()) {
      for (const auto& child : node) visit(child);
    }
  };
  visit(document);
  EXPECT_GT(count, 100U);
}

TEST_F(OpenApiTest, RealAnswersFitTheirSchemas) {
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  daemon.run_once("data", "append", Verdict::kClean);
  const auto running = daemon.add_run("logs", "append");
  daemon.start_run(running);
  daemon.change_live([&](LiveState& state) { state.runs = {{running, "logs", "append", {}, {}}}; });
  const std::pair<std::string, std::string> calls[] = {
      {"/api/v1/status", "/api/v1/status"},
      {"/api/v1/targets", "/api/v1/targets"},
      {"/api/v1/targets/{name}", "/api/v1/targets/data"},
      {"/api/v1/profiles", "/api/v1/profiles"},
      {"/api/v1/kernels", "/api/v1/kernels"},
      {"/api/v1/runs", "/api/v1/runs"},
      {"/api/v1/runs/{id}", "/api/v1/runs/1"},
      {"/api/v1/runs/{id}", "/api/v1/runs/" + std::to_string(running)},
      {"/api/v1/findings", "/api/v1/findings"},
      {"/api/v1/findings/{id}", "/api/v1/findings/1"},
      {"/api/v1/findings/{id}/picture", "/api/v1/findings/1/picture"},
      {"/api/v1/activity", "/api/v1/activity?by=profile"},
      {"/api/v1/activity", "/api/v1/activity?step_seconds=3600"},
      {"/api/v1/history", "/api/v1/history"},
      {"/healthz", "/healthz"},
      {"/readyz", "/readyz"},
  };
  for (const auto& [path, real] : calls) {
    EXPECT_EQ(mismatch(get(real), schema_of(path, "get", "200"), real), "");
  }
  EXPECT_EQ(mismatch(post("/api/v1/runs", {{"target", "data"}, {"profile", "append"}}, 202),
                     schema_of("/api/v1/runs", "post", "202"), "run"),
            "");
  const auto problem = get("/api/v1/runs?limit=0", 400);
  EXPECT_EQ(mismatch(problem, document["components"]["schemas"]["Problem"], "problem"), "");
}

TEST_F(OpenApiTest, RequestFieldsAreTheOnesThatAreRead) {
  const auto detail =
      post("/api/v1/runs", {{"target", "data"}, {"profile", "append"}, {"zzz", 1}}, 422)["errors"][0]["detail"]
          .get<std::string>();
  const auto& properties = document["components"]["schemas"]["StartRequest"]["properties"];
  for (const auto& [name, schema] : properties.items()) {
    EXPECT_NE(detail.find('"' + name + '"'), std::string::npos) << name;
  }
  EXPECT_EQ(std::count(detail.begin(), detail.end(), '"'), 2 * static_cast<std::ptrdiff_t>(properties.size()));
}

}  // namespace
}  // namespace writecanary::api::test
