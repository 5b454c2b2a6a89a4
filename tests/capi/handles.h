#pragma once

#include <octavo.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace octavo_test {

struct Release {
  void operator()(octavo_status* status) const { octavo_status_release(status); }
  void operator()(octavo_model* model) const { octavo_model_release(model); }
  void operator()(octavo_options* options) const { octavo_options_release(options); }
  void operator()(octavo_buffer* buffer) const { octavo_buffer_release(buffer); }
};
using Model = std::unique_ptr<octavo_model, Release>;
using Options = std::unique_ptr<octavo_options, Release>;
using Buffer = std::unique_ptr<octavo_buffer, Release>;

/// What a call said, its status released.
struct Outcome {
  explicit Outcome(octavo_status* status) : code(octavo_status_code(status)), message(octavo_status_message(status)) {
    octavo_status_release(status);
  }
  std::int32_t code;
  std::string message;
};

inline void succeed(octavo_status* status) {
  const Outcome outcome(status);
  INFO(outcome.message);
  REQUIRE(outcome.code == OCTAVO_OK);
}

inline std::string digits(const std::string& name) { return OCTAVO_SOURCE_DIR "/examples/digits/" + name; }

inline Model open_digits() {
  octavo_model* model = nullptr;
  succeed(octavo_model_open(digits("digits.onnx").c_str(), &model));
  REQUIRE(model != nullptr);
  return Model(model);
}

inline Options digits_options(const char* threads = "1") {
  octavo_options* made = nullptr;
  succeed(octavo_options_create(&made));
  Options options(made);
  succeed(octavo_options_set(made, "images", digits("calib").c_str()));
  succeed(octavo_options_set(made, "pixel-range", "0,1"));
  succeed(octavo_options_set(made, "threads", threads));
  return options;
}

inline Model quantized(const octavo_model* model, const octavo_options* options) {
  octavo_model* result = nullptr;
  succeed(octavo_quantize(model, options, nullptr, nullptr, &result));
  return Model(result);
}

inline std::string bytes_of(const octavo_model* model) {
  octavo_buffer* made = nullptr;
  succeed(octavo_model_save_memory(model, "onnx", &made));
  const Buffer buffer(made);
  return {static_cast<const char*>(octavo_buffer_data(made)), octavo_buffer_size(made)};
}

/// For results that a failing call must set to NULL; never to be looked into.
inline octavo_model* model_that_is_no_model() {
  static int place = 0;
  return reinterpret_cast<octavo_model*>(&place);
}

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / (name + "." + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace octavo_test
