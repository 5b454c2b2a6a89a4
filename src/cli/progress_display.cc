#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "command.h"
#include "console.h"

namespace octavo::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kNextLine = std::chrono::seconds(5);
constexpr int kBarWidth = 30;
constexpr const char* kClearLine = "\r\033[K";

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

ProgressDisplay::ProgressDisplay(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressDisplay::~ProgressDisplay() {
  if (bar_shown_) std::fputs(kClearLine, stderr);
}

Progress ProgressDisplay::callback() {
  return [this](const ProgressEvent& event) {
    if (!quiet_) show(event);
    return !interrupted();
  };
}

void ProgressDisplay::show(const ProgressEvent& event) {
  const auto now = std::chrono::steady_clock::now();
  if (event.stage != stage_) {
    stage_ = event.stage;
    started_ = shown_ = now;
  }
  const bool last = event.done == event.total;
  if (terminal_) {
    if (!last && now - shown_ < kRedraw) return;
    shown_ = now;
    show_bar(event, seconds_between(started_, now));
    return;
  }
  const bool first = event.done == 0;
  if (!first && !last && now - shown_ < kNextLine) return;
  shown_ = now;
  fmt::print(stderr, "{}: {} of {}\n", event.stage, event.done, event.total);
}

void ProgressDisplay::show_bar(const ProgressEvent& event, double seconds) {
  const double share = event.total > 0 ? static_cast<double>(event.done) / static_cast<double>(event.total) : 0.0;
  const double rate = seconds > 0.0 ? static_cast<double>(event.done) / seconds : 0.0;
  const double left = rate > 0.0 ? static_cast<double>(event.total - event.done) / rate : 0.0;
  const int filled = static_cast<int>(std::lround(share * kBarWidth));
  fmt::print(stderr, "{}{:<16} [{}{}] {}/{}  {:.1f}/s  {:.0f} s left", kClearLine, event.stage,
             std::string(filled, '#'), std::string(kBarWidth - filled, '.'), event.done, event.total, rate,
             std::ceil(left));
  bar_shown_ = event.done != event.total;
  if (!bar_shown_) std::fputs(kClearLine, stderr);
  std::fflush(stderr);
}

}  // namespace octavo::cli
