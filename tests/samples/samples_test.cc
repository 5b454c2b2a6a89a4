#include "octavo/samples.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

MemorySource numbers(std::size_t count, std::vector<std::size_t> bad = {}) {
  std::vector<std::vector<Tensor>> samples;
  for (std::size_t i = 0; i < count; ++i) samples.push_back({Tensor::scalar(static_cast<float>(i))});
  return MemorySource(std::move(samples), std::move(bad));
}

struct Run {
  std::vector<float> seen;  // in order of consume
  std::vector<std::string> bad;
  std::vector<std::int64_t> done;
};

Run run_over(const DataSource& data, std::vector<std::size_t> indices, int threads, bool skip = false) {
  Run run;
  SampleRunner runner(data, std::move(indices), {threads, skip, "test", [&](const ProgressEvent& event) {
                                                   CHECK(event.stage == "test");
                                                   run.done.push_back(event.done);
                                                   return true;
                                                 }});
  std::vector<float> slots(runner.slots());
  run.bad = runner.run([&](std::span<const Tensor> inputs, int,
                           std::size_t position) { slots[runner.slot(position)] = inputs[0].data<float>()[0]; },
                       [&](std::size_t position) { run.seen.push_back(slots[runner.slot(position)]); });
  return run;
}

}  // namespace

TEST_CASE("samples are handed over in order, whatever the number of threads") {
  const MemorySource data = numbers(50);
  const auto indices = spread_indices(50, 20);
  const Run one = run_over(data, indices, 1);
  REQUIRE(one.seen.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(one.seen[i] == static_cast<float>(indices[i]));
  CHECK(one.done.front() == 0);
  CHECK(one.done.back() == 20);
  CHECK(std::is_sorted(one.done.begin(), one.done.end()));
  for (const int threads : {2, 7, 0}) {
    const Run other = run_over(data, indices, threads);
    CHECK(other.seen == one.seen);
    CHECK(other.done == one.done);
  }
}

TEST_CASE("bad samples are skipped and listed where that is wanted") {
  const MemorySource data = numbers(10, {0, 4, 9});
  for (const int threads : {1, 2, 7}) {
    const Run run = run_over(data, spread_indices(10, 0), threads, true);
    CHECK(run.seen == std::vector<float>{1, 2, 3, 5, 6, 7, 8});
    CHECK(run.bad == std::vector<std::string>{"sample0: broken", "sample4: broken", "sample9: broken"});
  }
}

TEST_CASE("otherwise all bad samples are listed, also those that the run would not have touched") {
  const MemorySource data = numbers(10, {1, 2, 7});
  for (const int threads : {1, 2, 7}) {
    try {
      run_over(data, {0, 1, 5}, threads);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::bad_data);
      for (const char* name : {"sample1", "sample2", "sample7"}) CHECK_THAT(error.what(), Catch::Contains(name));
      CHECK_THAT(error.what(), Catch::Contains("3 of 10"));
    }
  }
}

TEST_CASE("a run without one good sample is an error") {
  CHECK(error_of([] { run_over(numbers(3, {0, 1, 2}), {0, 1, 2}, 2, true); }) == ErrorCode::bad_data);
  CHECK(error_of([] { run_over(numbers(0), {}, 2, true); }) == ErrorCode::bad_data);
}

TEST_CASE("what turns out bad while computing is listed by the sample's name") {
  const MemorySource data = numbers(4);
  SampleRunner runner(data, {0, 1, 2, 3}, {2, true, "test", {}});
  std::vector<std::size_t> consumed;
  const auto bad = runner.run(
      [](std::span<const Tensor>, int, std::size_t position) {
        if (position == 2) throw Error(ErrorCode::bad_data, "");
      },
      [&](std::size_t position) { consumed.push_back(position); });
  CHECK(bad == std::vector<std::string>{"sample2: "});
  CHECK(consumed == std::vector<std::size_t>{0, 1, 3});
}

TEST_CASE("other errors stop the run") {
  const MemorySource data = numbers(30);
  for (const int threads : {1, 2, 7}) {
    SampleRunner runner(data, spread_indices(30, 0), {threads, true, "test", {}});
    CHECK(error_of([&] {
            runner.run([](std::span<const Tensor>, int, std::size_t) { throw Error(ErrorCode::bad_model, "no"); },
                       [](std::size_t) {});
          }) == ErrorCode::bad_model);
  }
}

TEST_CASE("progress can cancel") {
  const MemorySource data = numbers(100);
  for (const int threads : {1, 2, 7}) {
    std::size_t consumed = 0;
    SampleRunner runner(data, spread_indices(100, 0),
                        {threads, false, "test", [](const ProgressEvent& event) { return event.done < 5; }});
    CHECK(error_of([&] {
            runner.run([](std::span<const Tensor>, int, std::size_t) {}, [&](std::size_t) { ++consumed; });
          }) == ErrorCode::cancelled);
    CHECK(consumed == 5);
  }
}

TEST_CASE("few samples leave the threads to single operators") {
  const MemorySource data = numbers(3);
  SampleRunner few(data, {0, 1, 2}, {7, false, "test", {}});
  CHECK(few.workers() == 1);
  REQUIRE(few.inner_pool() != nullptr);
  CHECK(few.inner_pool()->threads() == 7);
  SampleRunner many(data, {0, 1, 2}, {3, false, "test", {}});
  CHECK(many.workers() == 3);
  CHECK(many.inner_pool() == nullptr);
}

TEST_CASE("indices are spread evenly, ascending and without repetition") {
  CHECK(spread_indices(0, 4).empty());
  CHECK(spread_indices(3, 0) == std::vector<std::size_t>{0, 1, 2});
  CHECK(spread_indices(3, 9) == std::vector<std::size_t>{0, 1, 2});
  CHECK(spread_indices(10, 4) == std::vector<std::size_t>{0, 2, 5, 7});
  for (std::size_t size = 1; size < 60; ++size) {
    for (std::size_t most = 1; most <= size; ++most) {
      const auto indices = spread_indices(size, most);
      CHECK(indices.size() == most);
      CHECK(std::set<std::size_t>(indices.begin(), indices.end()).size() == most);
      CHECK((std::is_sorted(indices.begin(), indices.end()) && indices.back() < size));
    }
  }
}
