#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace octavo::core {

/// Called when a precondition of core does not hold: a mistake of the calling code, never of its input.
/// It must not return. The default writes nothing and ends the process; hosts replace it before use.
using PreconditionHandler = void (*)(const char* condition, const char* expected);

namespace detail {

[[noreturn]] inline void end_process(const char*, const char*) { std::abort(); }

inline std::atomic<PreconditionHandler>& precondition_handler() {
  static std::atomic<PreconditionHandler> handler{&end_process};
  return handler;
}

[[noreturn]] inline void fail_precondition(const char* condition, const char* expected) {
  precondition_handler().load()(condition, expected);
  std::abort();
}

}  // namespace detail

/// Installs `handler` for the whole process and returns the former one.
inline PreconditionHandler set_precondition_handler(PreconditionHandler handler) {
  return detail::precondition_handler().exchange(handler);
}

}  // namespace octavo::core

/// Checks a precondition in every build type; `expected` says in words what the caller must ensure.
#define OCTAVO_REQUIRE(condition, expected) \
  ((condition) ? static_cast<void>(0) : ::octavo::core::detail::fail_precondition(#condition, expected))
