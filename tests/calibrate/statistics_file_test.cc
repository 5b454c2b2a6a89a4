#include <catch2/catch.hpp>
#include <random>

#include "octavo/backends.h"
#include "octavo/calibrate.h"
#include "octavo/core/bytes.h"
#include "octavo/core/hash.h"
#include "octavo/core/observers/table.h"
#include "support/graphs.h"
#include "support/messages.h"

using namespace octavo;
using namespace octavo::test;

namespace {

using Bytes = std::vector<std::byte>;

struct Net {
  Graph graph;
  Plan plan;
  explicit Net(const std::string& activation_observer = "") {
    graph = parse_graph(R"(graph opset 13 {
      input x: f32[1,3,9,8]
      const w1: f32[6,3,3,3] = random(1) const b1: f32[6] = random(2)
      const w2: f32[4,3,2,2] = random(4)
      const w4: f32[4,5] = random(6)
      c1 = Conv(x, w1, b1) {pads=[1,1,1,1], strides=[2,1]}
      r1 = Relu(c1)
      c3 = Conv(r1, w2) {group=2}
      g = GlobalAveragePool(c3)
      f = Flatten(g)
      y = Gemm(f, w4)
      output y})");
    infer_shapes(graph);
    plan = make_plan(graph, backend_named("onnxruntime"));
    for (ActivationPlan& activation : plan.activations) {
      if (!activation_observer.empty()) activation.observer = *find_observer(activation_observer);
    }
  }
};

CalibrateOptions options(int threads, Share share = {}) {
  CalibrateOptions options;
  options.threads = threads;
  options.share = share;
  options.for_any_observer = true;
  return options;
}

Bytes measured(const Net& net, const DataSource& data, int threads, Share share = {}) {
  CalibrateOptions with = options(threads, share);
  with.skip_bad_files = true;
  return calibration_bytes(calibrate(net.graph, net.plan, data, with));
}

}  // namespace

TEST_CASE("a calibration read back is the one that was written") {
  for (const std::string observer : {"", "MovingAverageMinMaxObserver", "LSQObserver"}) {
    const Net net(observer);
    const Bytes bytes = measured(net, MemorySource(net.graph, 9), 2);
    const Calibration back = parse_calibration(bytes, "stats");
    CHECK(calibration_bytes(back) == bytes);
    CHECK(back.samples == 9);
    CHECK(back.inputs);
  }
}

TEST_CASE("any number of shares joined in any order gives the file of one run") {
  const Net net;
  const MemorySource data(net.graph, 45);
  const Bytes whole = measured(net, data, 1);
  for (const int threads : {2, 7}) CHECK(measured(net, data, threads) == whole);
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{50}}) {
    std::vector<Calibration> shares;
    std::vector<std::string> names;
    for (std::size_t i = count; i >= 1; --i) {  // the last first
      shares.push_back(parse_calibration(measured(net, data, i % 2 == 0 ? 1 : 3, {i, count}), "share"));
      names.push_back("share" + std::to_string(i));
    }
    CHECK(calibration_bytes(merge_calibrations(std::move(shares), names)) == whole);
  }
}

TEST_CASE("bad samples are listed once, whoever meets them") {
  const Net net;
  std::vector<std::vector<Tensor>> samples;
  for (std::uint32_t i = 0; i < 20; ++i) samples.push_back(random_inputs(net.graph, 10 * i));
  const MemorySource data(samples, {0, 7, 13, 19});
  const Bytes whole = measured(net, data, 2);
  CHECK(parse_calibration(whole, "").bad_files.size() == 4);
  std::vector<Calibration> shares;
  for (std::size_t i = 1; i <= 3; ++i) shares.push_back(parse_calibration(measured(net, data, 2, {i, 3}), ""));
  CHECK(calibration_bytes(merge_calibrations(std::move(shares), {"a", "b", "c"})) == whole);
}

TEST_CASE("an interrupted calibration goes on from any sample to the same file") {
  std::vector<std::vector<Tensor>> samples;
  const Net shape;
  for (std::uint32_t i = 0; i < 14; ++i) samples.push_back(random_inputs(shape.graph, 10 * i));
  const MemorySource data(samples, {3, 13});
  for (const std::string observer : {"", "LSQObserver"}) {
    const Net net(observer);
    const Bytes whole = measured(net, data, 1);
    for (std::int64_t stop = 1; stop < 14; ++stop) {
      Bytes checkpoint;
      CalibrateOptions with = options(stop % 2 == 0 ? 1 : 3);
      with.skip_bad_files = true;
      with.progress = [&](const ProgressEvent& event) { return event.done < stop; };
      with.checkpoint = [&](const Calibration& so_far) { checkpoint = calibration_bytes(so_far); };
      CHECK(error_of([&] { calibrate(net.graph, net.plan, data, with); }) == ErrorCode::cancelled);
      const Calibration begun = parse_calibration(checkpoint, "partial");
      CHECK(begun.done == static_cast<std::size_t>(stop));
      with.progress = {};
      CHECK(calibration_bytes(calibrate(net.graph, net.plan, data, with, begun)) == whole);
    }
  }
}

TEST_CASE("shares are refused where a state cannot be joined") {
  const Net net("LSQObserver");
  const MemorySource data(net.graph, 4);
  CHECK(error_of([&] { calibrate(net.graph, net.plan, data, options(1, {1, 2})); }) == ErrorCode::unsupported);
}

TEST_CASE("joining refuses gaps, doubles, checkpoints and what was made of other things, naming both") {
  const Net net;
  const MemorySource data(net.graph, 6);
  const auto share = [&](std::size_t i, std::size_t count) {
    return calibrate(net.graph, net.plan, data, options(1, {i, count}));
  };
  const auto refusal = [&](std::vector<Calibration> shares) {
    std::vector<std::string> names = {"first", "second", "third"};
    names.resize(shares.size());
    return message_of([&] { merge_calibrations(std::move(shares), names); });
  };
  CHECK_THAT(refusal({share(1, 3), share(3, 3)}), Catch::Contains("share 2 of 3 is missing"));
  CHECK_THAT(refusal({share(1, 2), share(2, 2), share(2, 2)}), Catch::Contains("second and third are both share 2"));
  CHECK_THAT(refusal({share(1, 2), share(2, 3)}), Catch::Contains("a share of 2"));
  CHECK_THAT(refusal({}), Catch::Contains("no calibrations"));
  Calibration other = share(2, 2);
  other.keys.model = 7;
  CHECK_THAT(refusal({share(1, 2), other}), Catch::Contains("first and second") && Catch::Contains("different models"));
  other = share(2, 2);
  other.keys.data = 7;
  CHECK_THAT(refusal({share(1, 2), other}), Catch::Contains("different samples"));
  other = share(2, 2);
  other.keys.graph = 7;
  CHECK_THAT(refusal({share(1, 2), other}), Catch::Contains("different recipes"));
  other = share(2, 2);
  other.done = 1;
  CHECK_THAT(refusal({share(1, 2), other}), Catch::Contains("second") && Catch::Contains("--resume"));
}

TEST_CASE("a group's pictures are joined one by one, so that averages see pictures and not members") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input a: f32[1,1,1,1] input b: f32[1,1,1,1] const w: f32[1,2,1,1] = {1,1}
    k = Concat(a, b) {axis=1} y = Conv(k, w) output y})");
  infer_shapes(graph);
  Plan plan = make_plan(graph, backend_named("onnxruntime"));
  for (ActivationPlan& activation : plan.activations) {
    activation.observer = *find_observer("MovingAverageMinMaxObserver");
    activation.observer_options.averaging_constant = 0.5;
  }
  const auto value = [](float x) { return Tensor::from<float>({1, 1, 1, 1}, {x}); };
  const MemorySource data({{value(-1), value(2)}, {value(-3), value(8)}});
  const auto found = compute_parameters(graph, plan, calibrate(graph, plan, data, options(1)));
  // a: -1, -3; b: 2, 8; k: both. By picture [-1, 2] and [-3, 8], so [-2, 5].
  CHECK(found.at("k") == qparams_from_range({-2, 5}, {}));
}

TEST_CASE("an observer that sees values themselves sees those of a whole group, in their order") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[1,2,6,6] const u: f32[3,2,1,1] = random(1) const v: f32[2,2,1,1] = random(2)
    const w: f32[1,5,1,1] = random(3)
    a = Conv(x, u) b = Conv(x, v) k = Concat(b, a) {axis=1} p = MaxPool(k) {kernel_shape=[2,2]} y = Conv(p, w)
    output y})");
  infer_shapes(graph);
  Plan plan = make_plan(graph, backend_named("onnxruntime"));
  const std::string name = GENERATE(as<std::string>{}, "HistogramObserver", "LSQObserver");
  for (ActivationPlan& activation : plan.activations) activation.observer = *find_observer(name);
  const MemorySource data(graph, 9);

  // Pictures one after the other, of each the branches alone: a, then b.
  Graph branches = parse_graph(to_text(graph));
  branches.set_outputs({*branches.find_value("a"), *branches.find_value("b")});
  ObserverOptions both;
  both.batch_size = 2;
  const auto by_hand = observer_named(name, both);
  for (std::size_t i = 0; i < data.size(); ++i) {
    for (const Tensor& branch : run_graph(branches, data.load(i))) by_hand->fold(*by_hand->summarize(branch));
  }
  const Bytes one = calibration_bytes(calibrate(graph, plan, data, options(1)));
  for (const int threads : {2, 7}) CHECK(calibration_bytes(calibrate(graph, plan, data, options(threads))) == one);
  const Calibration calibration = parse_calibration(one, "stats");
  CHECK(calibration.values.at("a").shown == std::vector<std::string>{"a", "b"});
  const auto found = compute_parameters(graph, plan, calibration);
  for (const ActivationPlan& activation : plan.activations) {
    const std::string& value = graph.value(activation.value).name;
    const bool in_group = value != "x" && value != "y";
    if (in_group) CHECK(found.at(value) == by_hand->compute_qparams(activation.scheme));
  }

  // A plan in which they do not share makes nothing of that state.
  for (ActivationPlan& activation : plan.activations) {
    activation.group = activation.value;
    activation.adds_values = true;
  }
  CHECK_THROWS_WITH(compute_parameters(graph, plan, calibration), Catch::Contains("does not hold what " + name));
}

TEST_CASE("damaged calibration files are refused, never a crash") {
  const Net net;
  const Bytes bytes = measured(net, MemorySource(net.graph, 3), 1);
  const auto code = [](const Bytes& damaged) { return error_of([&] { parse_calibration(damaged, "stats"); }); };
  for (std::size_t size = 0; size < bytes.size(); size += size < 2000 ? 1 : 97) {
    CHECK(code(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))) == ErrorCode::bad_data);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    Bytes damaged = bytes;
    damaged[random() % bytes.size()] ^= static_cast<std::byte>(1U << random() % 8);
    CHECK(code(damaged) == ErrorCode::bad_data);
  }
}

namespace {

/// As somebody would do who means harm: the checksum fits again.
void seal(Bytes& bytes) {
  bytes.resize(bytes.size() - 8);
  core::Hash hash;
  hash.bytes(bytes);
  core::ByteWriter(bytes).u64(hash.value());
}

}  // namespace

TEST_CASE("files with a fitting checksum and any content are refused or used, never a crash") {
  const Net net;
  const MemorySource data(net.graph, 3);
  const Bytes bytes = measured(net, data, 1);
  std::mt19937 random(2);
  int read = 0;
  for (int i = 0; i < 3000; ++i) {
    Bytes damaged = bytes;
    for (int flips = 0; flips < 1 + i % 3; ++flips) {
      // Half of them in the first part, where the counts are.
      const std::size_t within = i % 2 == 0 ? std::min<std::size_t>(bytes.size(), 1200) : bytes.size();
      damaged[random() % within] = static_cast<std::byte>(random());
    }
    seal(damaged);
    try {
      const Calibration calibration = parse_calibration(damaged, "stats");
      compute_parameters(net.graph, net.plan, calibration, 1);
      if (!calibration.inputs) continue;
      require_fitting_inputs(net.graph, net.plan, calibration.inputs);
      ++read;
    } catch (const Error&) {  // what is expected of most
    }
  }
  CHECK(read > 0);
}
