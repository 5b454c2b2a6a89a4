#include <cstdint>
#include <cstring>
#include <numeric>

#include "onnx_support.h"

namespace octavo::formats_test {
namespace {

std::string floats(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

onnx::ModelProto external_model(const std::string& keys, const std::string& type = "dims: 4 data_type: 1") {
  std::string entries;
  for (std::size_t at = 0; at < keys.size();) {  // "key=value;key=value"
    const std::size_t end = std::min(keys.find(';', at), keys.size());
    const std::size_t equals = keys.find('=', at);
    entries += " external_data { key: '" + keys.substr(at, equals - at) + "' value: '" +
               keys.substr(equals + 1, end - equals - 1) + "' }";
    at = end + 1;
  }
  return model_of(with_header("initializer { name: 'c' " + type + " data_location: EXTERNAL" + entries + " }"));
}

float first_of(const Graph& graph) { return value_named(graph, "c").constant->data<float>()[0]; }

TEST_CASE("external data is read by offset and length") {
  const TemporaryFolder folder;
  write_file(folder / "w.bin", floats(100));
  CHECK(first_of(load(external_model("location=w.bin;offset=64;length=16"), folder.path())) == 16);
  CHECK(first_of(load(external_model("location=w.bin"), folder.path())) == 0);
  CHECK(first_of(load(external_model("location=./w.bin;offset=8;checksum=whatever"), folder.path())) == 2);
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::rename(folder / "w.bin", folder / "sub" / "w.bin");
  CHECK(first_of(load(external_model("location=sub/w.bin;offset=4"), folder.path())) == 1);
}

TEST_CASE("external data is mapped where it is aligned and copied where not; a write changes no file") {
  const TemporaryFolder folder;
  const std::string file = "x" + floats(8);
  write_file(folder / "w.bin", file);
  Graph odd = load(external_model("location=w.bin;offset=1"), folder.path());
  CHECK(first_of(odd) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(odd.constant(*odd.find_value("c"))->bytes()) % Tensor::kAlignment == 0);
  Graph even = load(external_model("location=w.bin;offset=4"), folder.path());
  even.value(*even.find_value("c")).constant->mutable_data<float>()[0] = 7;
  CHECK(read_file(folder / "w.bin") == file);
}

TEST_CASE("external data outlives its file") {
  const TemporaryFolder folder;
  write_file(folder / "w.bin", floats(4));
  const Graph graph = load(external_model("location=w.bin;offset=0"), folder.path());
  std::filesystem::remove(folder / "w.bin");
  CHECK(value_named(graph, "c").constant->data<float>()[3] == 3);
}

TEST_CASE("external data out of bounds is refused") {
  const TemporaryFolder folder;
  write_file(folder / "w.bin", floats(4));
  const auto error = [&](const std::string& keys, ErrorCode code = ErrorCode::bad_model) {
    return error_of(code, [&] { load(external_model(keys), folder.path()); });
  };
  CHECK(error("location=w.bin;offset=4").find("initializer 0 'c': external data: 16 bytes at 4") == 0);
  CHECK(error("location=w.bin;offset=99999999999999999999").find("not a number") != std::string::npos);
  CHECK(error("location=w.bin;offset=18446744073709551615").find("'w.bin' has 16 bytes") != std::string::npos);
  CHECK(error("location=w.bin;offset=-4").find("'-4'") != std::string::npos);
  CHECK(error("location=w.bin;length=12").find("12 bytes, but the shape needs 16") != std::string::npos);
  CHECK(error("location=w.bin;length=18446744073709551615").find("are wanted") != std::string::npos);
  CHECK(error("location=gone.bin", ErrorCode::io).find("'gone.bin'") != std::string::npos);
  CHECK(error("offset=0").find("no location") != std::string::npos);
  std::filesystem::create_directory(folder / "d");
  error("location=d", ErrorCode::io);
}

TEST_CASE("external data outside the model's folder is refused") {
  const TemporaryFolder outer;
  const std::filesystem::path folder = outer / "model";
  std::filesystem::create_directory(folder);
  write_file(outer / "secret", floats(4));
  write_file(folder / "w.bin", floats(4));
  std::filesystem::create_symlink(outer / "secret", folder / "link");
  std::filesystem::create_directory_symlink(outer.path(), folder / "up");
  std::filesystem::create_symlink("w.bin", folder / "inside");
  for (const std::string& location : {std::string("../secret"), (outer / "secret").string(), std::string("link"),
                                      std::string("up/secret"), std::string("sub/../../secret")}) {
    CAPTURE(location);
    const std::string message =
        error_of(ErrorCode::bad_model, [&] { load(external_model("location=" + location), folder); });
    CHECK(message.find("leads out of the model's folder") != std::string::npos);
  }
  CHECK(first_of(load(external_model("location=inside"), folder)) == 0);
  error_of(ErrorCode::unsupported, [&] { load(external_model("location=w.bin")); });
}

TEST_CASE("external data inside what is kept as it is becomes part of it") {
  const TemporaryFolder folder;
  write_file(folder / "w.bin", floats(4));
  const std::string tensor =
      "dims: 4 data_type: 1 data_location: EXTERNAL external_data { key: 'location' value: 'w.bin' }";
  const onnx::ModelProto model = model_of(with_header(
      "initializer { name: 'f8' dims: 16 data_type: 17 data_location: EXTERNAL"
      " external_data { key: 'location' value: 'w.bin' } }"
      "node { op_type: 'If' output: 'y' attribute { name: 'then_branch' type: GRAPH g { initializer { name: 'i' " +
      tensor +
      " } output { name: 'i' } } } } node { op_type: 'Constant' output: 'k' attribute { name: 'value' type: TENSOR t "
      "{ " +
      tensor + " } } }"));
  const onnx::ModelProto written = saved(load(model, folder.path()));
  CHECK(written.graph().initializer(0).raw_data() == floats(4));
  CHECK(written.graph().node(0).attribute(0).g().initializer(0).raw_data() == floats(4));
  CHECK(written.graph().node(1).attribute(0).t().raw_data() == floats(4));
  CHECK(written.DebugString().find("EXTERNAL") == std::string::npos);
}

TEST_CASE("many tensors over the same bytes cannot fill memory") {
  const TemporaryFolder folder;
  write_file(folder / "w.bin", "x" + floats(1000));
  onnx::ModelProto model = external_model("location=w.bin;offset=1", "dims: 1000 data_type: 1");
  for (int i = 0; i < 10; ++i) {
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor = model.graph().initializer(0);
    tensor.set_name("c" + std::to_string(i));
  }
  error_of(ErrorCode::resource_limit, [&] { load(model, folder.path()); });
}

Graph heavy_graph() {
  return parse_graph(R"(graph "g" opset 13 {
      input x: f32[1]
      const a: f32[1000] = random(1)
      const small: i64[2] = {1, 2}
      const b: u8[5000] = random(2)
      const c: f32[3000] = random(3)
      y = Op(x, a, small, b, c)
      output y: f32[1]
    })");
}

TEST_CASE("above the limit constants go to one file beside the model") {
  const TemporaryFolder folder;
  save_model(heavy_graph(), folder / "m.onnx", {1000});
  CHECK(folder.files() == std::vector<std::string>{"m.onnx", "m.onnx.data"});
  CHECK(std::filesystem::file_size(folder / "m.onnx") < 1000);
  const Graph again = load_model(folder / "m.onnx");
  again.check();
  CHECK(to_text(again) == to_text(load(saved(heavy_graph()))));

  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(read_file(folder / "m.onnx")));
  CHECK(model.graph().initializer(1).has_raw_data());  // too small to be worth it
  const auto& entries = model.graph().initializer(2).external_data();
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].value() == "m.onnx.data");
  CHECK(entries[1].value() == "4096");
  CHECK(entries[2].value() == "5000");
}

TEST_CASE("4-bit integers lie packed in the file beside the model, too") {
  const TemporaryFolder folder;
  const Graph graph =
      parse_graph("graph opset 21 { const a: i4[4095] = random(1) const b: u4[4096] = random(2) output a output b }");
  save_model(graph, folder / "m.onnx", {.external_data_above = 100});
  CHECK(std::filesystem::file_size(folder / "m.onnx.data") == 4096 + 2048);
  const Graph again = load_model(folder / "m.onnx");
  for (const char* name : {"a", "b"}) {
    const Tensor& before = *value_named(graph, name).constant;
    const Tensor& after = *value_named(again, name).constant;
    CHECK(after.dtype() == before.dtype());
    CHECK(std::memcmp(after.bytes(), before.bytes(), before.byte_size()) == 0);
  }
}

TEST_CASE("a model with external data can be saved over itself") {
  const TemporaryFolder folder;
  save_model(heavy_graph(), folder / "m.onnx", {1000});
  const std::string model = read_file(folder / "m.onnx");
  const std::string data = read_file(folder / "m.onnx.data");
  save_model(load_model(folder / "m.onnx"), folder / "m.onnx", {1000});
  CHECK(read_file(folder / "m.onnx") == model);
  CHECK(read_file(folder / "m.onnx.data") == data);
  CHECK(folder.files().size() == 2);
}

TEST_CASE("a failed save with external data leaves no file") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "m.onnx.data");
  error_of(ErrorCode::io, [&] { save_model(heavy_graph(), folder / "m.onnx", {1000}); });
  CHECK(folder.files() == std::vector<std::string>{"m.onnx.data"});
  std::filesystem::remove(folder / "m.onnx.data");
  std::filesystem::create_directory(folder / "m.onnx");
  error_of(ErrorCode::io, [&] { save_model(heavy_graph(), folder / "m.onnx", {1000}); });
  CHECK(folder.files() == std::vector<std::string>{"m.onnx"});
}

}  // namespace
}  // namespace octavo::formats_test
