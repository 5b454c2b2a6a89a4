#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "octavo/error.h"
#include "octavo/parallel.h"

namespace octavo {
namespace {

std::string at(std::size_t index) { return "piece " + std::to_string(index); }

/// Lets pieces end in another order than they began.
void dawdle(std::size_t index) { std::this_thread::sleep_for(std::chrono::microseconds((index * 7919) % 300)); }

TEST_CASE("for_each runs every piece once with a worker of the pool") {
  const int threads = GENERATE(1, 2, 7);
  const std::size_t count = GENERATE(0, 1, 2, 6, 7, 8, 1000);
  ThreadPool pool(threads);
  REQUIRE(pool.threads() == threads);
  std::vector<std::atomic<int>> runs(count);
  std::atomic<int> strange_workers{0};
  pool.for_each(count, [&](std::size_t index, int worker) {
    ++runs[index];
    if (worker < 0 || worker >= threads) ++strange_workers;
  });
  CHECK(strange_workers == 0);
  for (const auto& n : runs) CHECK(n == 1);
}

TEST_CASE("No two threads have the same worker number at once") {
  ThreadPool pool(7);
  std::vector<std::atomic<int>> inside(7);
  std::atomic<int> clashes{0};
  pool.for_each(300, [&](std::size_t index, int worker) {
    if (++inside[static_cast<std::size_t>(worker)] != 1) ++clashes;
    dawdle(index);
    --inside[static_cast<std::size_t>(worker)];
  });
  CHECK(clashes == 0);
}

TEST_CASE("A pool below one thread has one for each core") {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  CHECK(ThreadPool(0).threads() == std::max(1, cores));
  CHECK(ThreadPool(-3).threads() == std::max(1, cores));
}

TEST_CASE("for_each rethrows the failure of the lowest piece and the pool lives on") {
  const int threads = GENERATE(1, 2, 7);
  const std::size_t failing = GENERATE(0, 1, 50, 99);
  ThreadPool pool(threads);
  const auto fail_from = [&](std::size_t index, int) {
    dawdle(index);
    if (index >= failing) throw std::runtime_error(at(index));
  };
  CHECK_THROWS_WITH(pool.for_each(100, fail_from), at(failing));
  std::atomic<int> runs{0};
  pool.for_each(20, [&](std::size_t, int) { ++runs; });
  CHECK(runs == 20);
}

TEST_CASE("ordered consumes in order, on the calling thread, within its window") {
  const int threads = GENERATE(1, 2, 7);
  const std::size_t count = GENERATE(0, 1, 2, 13, 14, 15, 400);
  ThreadPool pool(threads);
  std::vector<std::size_t> made(count);
  std::vector<std::size_t> seen;
  std::atomic<int> waiting{0};
  std::atomic<int> most{0};
  bool elsewhere = false;
  const auto caller = std::this_thread::get_id();
  pool.ordered(
      count,
      [&](std::size_t index, int) {
        const int now = ++waiting;
        for (int known = most; now > known && !most.compare_exchange_weak(known, now);) {
        }
        dawdle(index);
        made[index] = index * index;
      },
      [&](std::size_t index) {
        elsewhere = elsewhere || std::this_thread::get_id() != caller;
        seen.push_back(made[index]);
        --waiting;
      });
  CHECK_FALSE(elsewhere);
  CHECK(most <= 2 * threads);
  REQUIRE(seen.size() == count);
  for (std::size_t i = 0; i < count; ++i) CHECK(seen[i] == i * i);
}

TEST_CASE("ordered consumes all before a failed item, then rethrows its failure") {
  const int threads = GENERATE(1, 2, 7);
  const std::size_t failing = GENERATE(0, 1, 50, 99);
  ThreadPool pool(threads);
  std::vector<std::size_t> seen;
  const auto produce = [&](std::size_t index, int) {
    dawdle(index);
    if (index >= failing) throw std::runtime_error(at(index));
  };
  CHECK_THROWS_WITH(pool.ordered(100, produce, [&](std::size_t index) { seen.push_back(index); }), at(failing));
  REQUIRE(seen.size() == failing);
  for (std::size_t i = 0; i < failing; ++i) CHECK(seen[i] == i);
}

TEST_CASE("A failing consumer stops the producers") {
  const int threads = GENERATE(1, 2, 7);
  ThreadPool pool(threads);
  std::atomic<std::size_t> produced{0};
  const auto consume = [&](std::size_t index) {
    if (index == 5) throw std::runtime_error(at(index));
  };
  CHECK_THROWS_WITH(pool.ordered(
                        100000, [&](std::size_t, int) { ++produced; }, consume),
                    at(5));
  CHECK(produced <= 5 + 2 * static_cast<std::size_t>(threads));
  std::size_t consumed = 0;
  pool.ordered(
      10, [](std::size_t, int) {}, [&](std::size_t) { ++consumed; });
  CHECK(consumed == 10);
}

TEST_CASE("A pool used from inside its own work says so") {
  const int threads = GENERATE(1, 2);
  ThreadPool pool(threads);
  const auto nested = [&](std::size_t, int) { pool.for_each(3, [](std::size_t, int) {}); };
  CHECK_THROWS_AS(pool.for_each(4, nested), Error);
}

TEST_CASE("Many short jobs one after the other end") {
  ThreadPool pool(7);
  std::atomic<std::size_t> runs{0};
  for (int job = 0; job < 2000; ++job)
    pool.for_each(static_cast<std::size_t>(job % 9), [&](std::size_t, int) { ++runs; });
  std::size_t expected = 0;
  for (int job = 0; job < 2000; ++job) expected += static_cast<std::size_t>(job % 9);
  CHECK(runs == expected);
}

}  // namespace
}  // namespace octavo
