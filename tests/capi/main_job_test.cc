#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "handles.h"

using namespace octavo_test;

namespace {

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Seen {
  std::thread::id thread = std::this_thread::get_id();
  bool on_caller = true;
  bool in_order = true;
  std::string stage;
  std::int64_t done = 0;
  int calls = 0;
  int calls_allowed = 1 << 30;
};

std::int32_t watch(const char* stage, std::int64_t done, std::int64_t total, void* user_data) {
  Seen& seen = *static_cast<Seen*>(user_data);
  seen.on_caller = seen.on_caller && std::this_thread::get_id() == seen.thread;
  if (seen.stage == stage) seen.in_order = seen.in_order && done >= seen.done;
  seen.in_order = seen.in_order && (total == 0 || done <= total);
  seen.stage = stage;
  seen.done = done;
  return ++seen.calls > seen.calls_allowed ? 7 : 0;
}

std::int32_t throws(const char*, std::int64_t, std::int64_t, void*) { throw 1; }

}  // namespace

TEST_CASE("C: a model quantizes to a smaller one, and stays as it was") {
  const Model model = open_digits();
  const std::string before = bytes_of(model.get());
  const Model result = quantized(model.get(), digits_options().get());
  const std::string after = bytes_of(result.get());
  CHECK(after.size() < before.size() / 2);
  CHECK(after.find("QuantizeLinear") != std::string::npos);
  CHECK(bytes_of(model.get()) == before);
  CHECK_THAT(octavo_model_notes(result.get()), Catch::Contains("8x8") && Catch::EndsWith("\n"));
  CHECK(std::string(octavo_model_notes(model.get())).empty());
}

TEST_CASE("C: a recipe file stands for options, which override it before and after") {
  const Model model = open_digits();
  const TemporaryFolder folder("octavo_capi_config");
  const std::string recipe = (folder.path() / "r.yaml").string();
  std::ofstream(recipe) << "images: '" << digits("calib") << "'\nthreads: 1\npreprocess: {pixel_range: [0, 255]}\n";
  octavo_options* made = nullptr;
  succeed(octavo_options_create(&made));
  const Options options(made);
  succeed(octavo_options_set(made, "pixel-range", "0,1"));
  succeed(octavo_options_set(made, "config", recipe.c_str()));
  succeed(octavo_options_set(made, "threads", "2"));
  CHECK(bytes_of(quantized(model.get(), made).get()) == bytes_of(quantized(model.get(), digits_options().get()).get()));
}

TEST_CASE("C: files and memory are the same to the model") {
  const TemporaryFolder folder("octavo_capi_memory");
  const std::filesystem::path path = folder.path() / "model \xC3\xA9\xE2\x82\xAC.onnx";
  const Model opened = open_digits();
  succeed(octavo_model_save(opened.get(), path.c_str()));
  CHECK(file_bytes(path) == bytes_of(opened.get()));

  std::string bytes = file_bytes(path);
  octavo_model* made = nullptr;
  succeed(octavo_model_open_memory(bytes.data(), bytes.size(), "onnx", nullptr, &made));
  const Model from_memory(made);
  bytes.assign(bytes.size(), '\xFF');  // the caller may do as it likes with them
  CHECK(bytes_of(from_memory.get()) == file_bytes(path));
  const Options options = digits_options();
  CHECK(bytes_of(quantized(from_memory.get(), options.get()).get()) ==
        bytes_of(quantized(opened.get(), options.get()).get()));
}

TEST_CASE("C: progress comes on the calling thread, in order, and may cancel") {
  const Model model = open_digits();
  const Options options = digits_options("2");
  Seen seen;
  octavo_model* result = nullptr;
  succeed(octavo_quantize(model.get(), options.get(), watch, &seen, &result));
  octavo_model_release(result);
  CHECK(seen.calls > 10);
  CHECK(seen.on_caller);
  CHECK(seen.in_order);

  for (const int allowed : {0, 1, seen.calls / 2, seen.calls - 1}) {
    Seen cancelled;
    cancelled.calls_allowed = allowed;
    result = model_that_is_no_model();
    const Outcome outcome(octavo_quantize(model.get(), options.get(), watch, &cancelled, &result));
    CAPTURE(allowed, outcome.message);
    CHECK(outcome.code == OCTAVO_CANCELLED);
    CHECK(result == nullptr);
    CHECK(cancelled.calls == allowed + 1);
  }
}

TEST_CASE("C: an exception of the callback's own ends as a status") {
  octavo_model* result = model_that_is_no_model();
  const Outcome outcome(octavo_quantize(open_digits().get(), digits_options().get(), throws, nullptr, &result));
  CHECK(outcome.code == OCTAVO_INTERNAL);
  CHECK(result == nullptr);
}

TEST_CASE("C: handles in different threads are independent, and one model serves several") {
  const Model model = open_digits();
  const std::string expected = bytes_of(quantized(model.get(), digits_options().get()).get());
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {  // no checks in here: Catch2's are for one thread
      octavo_model* own = nullptr;
      octavo_options* options = nullptr;
      octavo_model* result = nullptr;
      octavo_buffer* buffer = nullptr;
      const auto ignore = [](octavo_status* status) { octavo_status_release(status); };
      ignore(octavo_model_open(digits("digits.onnx").c_str(), &own));
      ignore(octavo_options_create(&options));
      ignore(octavo_options_set(options, "images", digits("calib").c_str()));
      ignore(octavo_options_set(options, "pixel-range", "0,1"));
      ignore(octavo_options_set(options, "threads", "2"));
      ignore(octavo_quantize(i % 2 == 0 ? own : model.get(), options, nullptr, nullptr, &result));
      ignore(octavo_model_save_memory(result, "onnx", &buffer));
      const char* const bytes = static_cast<const char*>(octavo_buffer_data(buffer));
      if (bytes != nullptr) results[i].assign(bytes, octavo_buffer_size(buffer));
      octavo_buffer_release(buffer);
      octavo_model_release(result);
      octavo_options_release(options);
      octavo_model_release(own);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results) CHECK(result == expected);
}
