#include <fstream>

#include "handles.h"

using namespace octavo_test;

TEST_CASE("C: NULL for an argument is refused by name, and results become NULL") {
  const Model model = open_digits();
  const Options options = digits_options();
  octavo_model* made = nullptr;
  octavo_buffer* buffer = nullptr;
  const auto unset = [&] {
    made = model_that_is_no_model();
    return &made;
  };
  const auto refused = [&](octavo_status* status, const std::string& name) {
    const Outcome outcome(status);
    CAPTURE(name);
    CHECK(outcome.code == OCTAVO_INVALID_ARGUMENT);
    CHECK_THAT(outcome.message, Catch::Contains(name));
    CHECK(made == nullptr);
  };
  refused(octavo_model_open(nullptr, unset()), "'path'");
  refused(octavo_model_open("x.onnx", nullptr), "result");
  refused(octavo_model_open_memory(nullptr, 0, "onnx", nullptr, unset()), "'bytes'");
  refused(octavo_model_open_memory("x", 1, nullptr, nullptr, unset()), "'format'");
  refused(octavo_model_open_memory("x", 1, "onnx", nullptr, nullptr), "result");
  refused(octavo_model_save(nullptr, "x.onnx"), "'model'");
  refused(octavo_model_save(model.get(), nullptr), "'path'");
  refused(octavo_model_save_memory(nullptr, "onnx", &buffer), "'model'");
  refused(octavo_model_save_memory(model.get(), nullptr, &buffer), "'format'");
  refused(octavo_model_save_memory(model.get(), "onnx", nullptr), "result");
  refused(octavo_options_create(nullptr), "result");
  refused(octavo_options_set(nullptr, "bgr", ""), "'options'");
  refused(octavo_options_set(options.get(), nullptr, ""), "'key'");
  refused(octavo_options_set(options.get(), "bgr", nullptr), "'value'");
  refused(octavo_quantize(nullptr, options.get(), nullptr, nullptr, unset()), "'model'");
  refused(octavo_quantize(model.get(), nullptr, nullptr, nullptr, unset()), "'options'");
  refused(octavo_quantize(model.get(), options.get(), nullptr, nullptr, nullptr), "result");
}

TEST_CASE("C: releasing and reading NULL is harmless") {
  octavo_status_release(nullptr);
  octavo_model_release(nullptr);
  octavo_options_release(nullptr);
  octavo_buffer_release(nullptr);
  CHECK(octavo_status_code(nullptr) == OCTAVO_OK);
  CHECK(std::string(octavo_status_message(nullptr)).empty());
  CHECK(std::string(octavo_model_notes(nullptr)).empty());
  CHECK(octavo_buffer_data(nullptr) == nullptr);
  CHECK(octavo_buffer_size(nullptr) == 0);
}

TEST_CASE("C: each kind of error has its code and names the place") {
  const Model model = open_digits();
  octavo_model* made = nullptr;
  const auto unset = [&] {
    made = model_that_is_no_model();
    return &made;
  };
  const auto fails = [&](octavo_status* status, std::int32_t code, const std::string& part) {
    const Outcome outcome(status);
    CAPTURE(outcome.message);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.message, Catch::Contains(part));
    CHECK(made == nullptr);
  };
  fails(octavo_model_open("no/such/model.onnx", unset()), OCTAVO_IO, "no/such/model.onnx");
  fails(octavo_model_open("", unset()), OCTAVO_IO, "");
  fails(octavo_model_open_memory("no model at all", 15, "onnx", nullptr, unset()), OCTAVO_BAD_MODEL, "");
  fails(octavo_model_open_memory("", 0, "onnx", nullptr, unset()), OCTAVO_BAD_MODEL, "");
  fails(octavo_model_open_memory("x", 1, "caffe", nullptr, unset()), OCTAVO_INVALID_ARGUMENT, "caffe");

  Options options = digits_options();
  succeed(octavo_options_set(options.get(), "images", "no/such/folder"));
  fails(octavo_quantize(model.get(), options.get(), nullptr, nullptr, unset()), OCTAVO_IO, "no/such/folder");

  const Model once = quantized(model.get(), digits_options().get());
  fails(octavo_quantize(once.get(), digits_options().get(), nullptr, nullptr, unset()), OCTAVO_UNSUPPORTED,
        "quantized");

  const TemporaryFolder folder("octavo_capi_errors");
  std::ofstream(folder.path() / "broken.png") << "no picture";
  options = digits_options();
  succeed(octavo_options_set(options.get(), "images", folder.path().c_str()));
  fails(octavo_quantize(model.get(), options.get(), nullptr, nullptr, unset()), OCTAVO_BAD_DATA, "broken.png");
  succeed(octavo_options_set(options.get(), "skip-bad-images", ""));
  made = nullptr;
  succeed(octavo_quantize(model.get(), options.get(), nullptr, nullptr, &made));
  const Model result(made);
  CHECK_THAT(octavo_model_notes(made), Catch::Contains("skipped: ") && Catch::Contains("broken.png"));

  const std::string missing = (folder.path() / "none" / "x.onnx").string();
  const Outcome saved(octavo_model_save(model.get(), missing.c_str()));
  CHECK(saved.code == OCTAVO_IO);
  CHECK_THAT(saved.message, Catch::Contains(missing));
}

TEST_CASE("C: an option that is refused changes nothing") {
  const Model model = open_digits();
  const std::string expected = bytes_of(quantized(model.get(), digits_options().get()).get());
  const Options options = digits_options();
  const auto refused = [&](const char* key, const char* value, const char* part) {
    const Outcome outcome(octavo_options_set(options.get(), key, value));
    CAPTURE(key, outcome.message);
    CHECK(outcome.code == OCTAVO_INVALID_ARGUMENT);
    CHECK_THAT(outcome.message, Catch::Contains(part));
  };
  refused("pixel-ragne", "0,255", "pixel-range");
  refused("", "", "''");
  refused("pixel-range", "0,0", "0,0");
  refused("mean", "1,two", "1,two");
  refused("resize", "0x8", "0x8");
  refused("threads", "-1", "-1");
  refused("backend", "abacus", "abacus");
  refused("bgr", "maybe", "maybe");
  const TemporaryFolder folder("octavo_capi_recipe");
  const std::string recipe = (folder.path() / "r.yaml").string();
  std::ofstream(recipe) << "threads: 1\nthraeds: 2\n";
  refused("config", recipe.c_str(), "r.yaml:2: key 'thraeds' is not known");
  CHECK(bytes_of(quantized(model.get(), options.get()).get()) == expected);
}

TEST_CASE("C: messages are UTF-8 whatever the names in them are") {
  octavo_model* made = nullptr;
  const auto message = [&](const std::string& path) { return Outcome(octavo_model_open(path.c_str(), &made)).message; };
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK_THAT(message("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.onnx"),
             Catch::Contains("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.onnx"));
  CHECK_THAT(message("\xFFx.onnx"), Catch::Contains(replaced + "x.onnx"));
  CHECK_THAT(message("\xC0\xAFx.onnx"), Catch::Contains(replaced + replaced + "x.onnx"));                 // overlong
  CHECK_THAT(message("\xED\xA0\x80x.onnx"), Catch::Contains(replaced + replaced + replaced + "x.onnx"));  // surrogate
  CHECK_THAT(message("\xF4\x90\x80\x80x"), Catch::Contains(replaced + replaced + replaced + replaced + "x"));
  CHECK_THAT(message("x\xE2\x82"), Catch::Contains("x" + replaced + replaced));
}

TEST_CASE("C: library and header have one version") {
  CHECK(octavo_version_number() == OCTAVO_VERSION_MAJOR * 10000 + OCTAVO_VERSION_MINOR * 100 + OCTAVO_VERSION_PATCH);
  CHECK(std::string(octavo_version_string()) == std::to_string(OCTAVO_VERSION_MAJOR) + "." +
                                                    std::to_string(OCTAVO_VERSION_MINOR) + "." +
                                                    std::to_string(OCTAVO_VERSION_PATCH));
}
