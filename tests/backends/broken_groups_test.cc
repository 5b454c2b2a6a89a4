#include <catch2/catch.hpp>
#include <string>

#include "named_plan.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("what ncnn computes wrongly stays in float: groups of a multiple of eight outputs") {
  const auto plan = [](const std::string& weight, int groups, const std::string& backend) {
    return plan_of("input x: f32[1,16,8,8] const w: f32" + weight +
                       " = random(1) y = Conv(x, w) {group=" + std::to_string(groups) + "} output y",
                   backend);
  };
  CHECK(plan("[16,8,1,1]", 2, "ncnn").reasons.at("y").find("8 outputs") != std::string::npos);
  CHECK(plan("[64,4,3,3]", 4, "ncnn").integer.empty());
  CHECK(plan("[12,8,1,1]", 2, "ncnn").integer.count("y") == 1);   // six outputs
  CHECK(plan("[16,1,3,3]", 16, "ncnn").integer.count("y") == 1);  // depthwise
  CHECK(plan("[16,16,3,3]", 1, "ncnn").integer.count("y") == 1);
  CHECK(plan("[16,8,1,1]", 2, "tnn").integer.count("y") == 1);
}
