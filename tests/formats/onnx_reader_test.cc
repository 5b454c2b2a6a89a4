#include <cmath>

#include "onnx_support.h"

namespace octavo::formats_test {
namespace {

const char* const kIdentity =
    "node { op_type: 'Identity' input: 'x' output: 'y' } input { name: 'x' } output { name: 'y' }";

Graph with_initializer(const std::string& tensor) {
  return load(model_of(with_header(std::string(kIdentity) + " initializer { name: 'c' " + tensor + " }")));
}

template <typename T>
void check_constant(const std::string& tensor, DType dtype, const Shape& shape, const std::vector<T>& expected) {
  CAPTURE(tensor);
  const Graph graph = with_initializer(tensor);
  const Value& value = value_named(graph, "c");
  REQUIRE(value.constant.has_value());
  CHECK(value.dtype == dtype);
  CHECK(value.static_shape() == shape);
  CHECK(value.constant->dtype() == dtype);
  CHECK(value.constant->shape() == shape);
  REQUIRE(value.constant->byte_size() == expected.size() * sizeof(T));
  const auto* const elements = reinterpret_cast<const T*>(value.constant->bytes());
  CHECK(std::vector<T>(elements, elements + expected.size()) == expected);
}

TEST_CASE("tensors are read from every field that may hold them") {
  check_constant<float>("dims: 2 data_type: 1 float_data: 1.5 float_data: -2", DType::f32, {2}, {1.5F, -2.0F});
  check_constant<float>("dims: 1 dims: 2 data_type: 1 raw_data: '\\000\\000\\300\\077\\000\\000\\000\\300'", DType::f32,
                        {1, 2}, {1.5F, -2.0F});
  check_constant<double>("data_type: 11 double_data: 0.1", DType::f64, {}, {0.1});
  check_constant<std::int8_t>("dims: 2 data_type: 3 int32_data: -128 int32_data: 127", DType::i8, {2}, {-128, 127});
  check_constant<std::uint8_t>("dims: 1 data_type: 2 int32_data: 255", DType::u8, {1}, {255});
  check_constant<std::int16_t>("dims: 1 data_type: 5 int32_data: -32768", DType::i16, {1}, {-32768});
  check_constant<std::uint16_t>("dims: 1 data_type: 4 int32_data: 65535", DType::u16, {1}, {65535});
  check_constant<std::int32_t>("dims: 1 data_type: 6 int32_data: -7", DType::i32, {1}, {-7});
  check_constant<std::uint32_t>("dims: 1 data_type: 12 uint64_data: 4294967295", DType::u32, {1}, {4294967295U});
  check_constant<std::int64_t>("dims: 1 data_type: 7 int64_data: -1", DType::i64, {1}, {-1});
  check_constant<std::uint64_t>("dims: 1 data_type: 13 uint64_data: 18446744073709551615", DType::u64, {1}, {~0ULL});
  check_constant<std::uint16_t>("dims: 1 data_type: 10 int32_data: 15360", DType::f16, {1}, {0x3c00});
  check_constant<std::uint16_t>("dims: 1 data_type: 16 int32_data: 16256", DType::bf16, {1}, {0x3f80});
  check_constant<float>("dims: 0 dims: 3 data_type: 1", DType::f32, {0, 3}, {});
}

TEST_CASE("4-bit integers are unpacked, the low half of each byte first") {
  const std::vector<std::int8_t> of_i4 = {1, -8, 7};
  const std::vector<std::uint8_t> of_u4 = {1, 8, 7};
  // 0x81, 0xf7: the last half is padding.
  check_constant<std::int8_t>("dims: 3 data_type: 22 raw_data: '\\201\\367'", DType::i4, {3}, of_i4);
  check_constant<std::uint8_t>("dims: 3 data_type: 21 raw_data: '\\201\\367'", DType::u4, {3}, of_u4);
  check_constant<std::int8_t>("dims: 3 data_type: 22 int32_data: 129 int32_data: 247", DType::i4, {3}, of_i4);
  check_constant<std::uint8_t>("dims: 3 data_type: 21 int32_data: 129 int32_data: 7", DType::u4, {3}, of_u4);
  check_constant<std::uint8_t>("dims: 0 data_type: 21", DType::u4, {0}, {});
  for (const char* broken : {"raw_data: '\\201'", "raw_data: '\\201\\367\\000'", "int32_data: 129", ""}) {
    CAPTURE(broken);
    error_of(ErrorCode::bad_model, [&] { with_initializer(std::string("dims: 3 data_type: 22 ") + broken); });
  }
  error_of(ErrorCode::bad_model, [&] { with_initializer("dims: 9223372036854775807 data_type: 22 raw_data: 'a'"); });
}

TEST_CASE("booleans become zeros and ones, whatever stands in the file") {
  check_constant<std::uint8_t>("dims: 3 data_type: 9 int32_data: 0 int32_data: 1 int32_data: 5", DType::boolean, {3},
                               {0, 1, 1});
  check_constant<std::uint8_t>("dims: 2 data_type: 9 raw_data: '\\000\\377'", DType::boolean, {2}, {0, 1});
}

TEST_CASE("a shape that does not fit the data is refused before memory is taken for it") {
  const auto error = [](const std::string& tensor) {
    return error_of(ErrorCode::bad_model, [&] { with_initializer(tensor); });
  };
  CHECK(error("dims: 2 data_type: 1 float_data: 1").find("initializer 0 'c'") == 0);
  CHECK(error("dims: 1099511627776 data_type: 1 float_data: 1").find("float_data holds 1") != std::string::npos);
  CHECK(error("dims: 1099511627776 data_type: 1 raw_data: 'abcd'").find("raw_data has 4") != std::string::npos);
  CHECK(error("dims: 4294967296 dims: 4294967296 data_type: 1").find("overflows") != std::string::npos);
  CHECK(error("dims: 4611686018427387904 data_type: 11").find("overflows") != std::string::npos);
  CHECK(error("dims: -1 data_type: 1").find("dimension -1") != std::string::npos);
  CHECK(error("dims: 1").find("element type") != std::string::npos);
  CHECK(error("dims: 2 data_type: 1 raw_data: 'abc'").find("need 8 bytes") != std::string::npos);
}

TEST_CASE("types that Octavo does not compute with pass through") {
  for (const char* tensor :
       {"dims: 1 data_type: 8 string_data: 'text'", "dims: 1 data_type: 17 raw_data: 'a'",
        "dims: 1 data_type: 14 float_data: 1 float_data: 2", "dims: 2 data_type: 18 raw_data: 'ab'"}) {
    CAPTURE(tensor);
    const Graph graph = with_initializer(tensor);
    const Value& value = value_named(graph, "c");
    CHECK(value.dtype == DType::opaque);
    CHECK(value.opaque_constant.has_value());
    const onnx::ModelProto before = model_of(with_header(std::string("initializer { name: 'c' ") + tensor + " }"));
    CHECK(saved(graph).graph().initializer(0).SerializeAsString() == before.graph().initializer(0).SerializeAsString());
  }
}

TEST_CASE("initializers that are listed as inputs are constants alone") {
  const Graph graph = load(model_of(R"(ir_version: 3 opset_import { version: 8 } graph {
      node { op_type: 'Add' input: 'x' input: 'b' output: 'y' }
      initializer { name: 'b' dims: 1 data_type: 1 float_data: 3 }
      input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } } } } }
      input { name: 'b' type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } } } } }
      output { name: 'y' } })"));
  REQUIRE(graph.inputs().size() == 1);
  CHECK(graph.value(graph.inputs()[0]).name == "x");
  CHECK(value_named(graph, "b").is_constant());
  CHECK(graph.ir_version == 3);
  const onnx::ModelProto written = saved(graph);
  CHECK(written.ir_version() == 4);  // the first that lets constants stand apart
  CHECK(written.graph().input_size() == 1);
}

TEST_CASE("types of values: symbols, unknown ranks, open dimensions, documentation") {
  const Graph graph = load(model_of(with_header(R"(
      node { op_type: 'Identity' input: 'x' output: 'y' } node { op_type: 'Identity' input: 'y' output: 'z' }
      input { name: 'x' doc_string: 'pixels' type { tensor_type { elem_type: 10
        shape { dim { dim_param: 'N' } dim { dim_value: 3 } dim { } dim { dim_value: -1 } } } } }
      value_info { name: 'y' type { tensor_type { elem_type: 7 } } }
      value_info { name: 'nobody' type { tensor_type { elem_type: 7 } } }
      output { name: 'z' type { tensor_type { elem_type: 9 shape { } } } })")));
  const Value& x = value_named(graph, "x");
  CHECK(x.dtype == DType::f16);
  CHECK(x.doc == "pixels");
  CHECK(x.dims == Dims{{Dim::kUnknown, "N"}, {3, ""}, {}, {}});
  CHECK(value_named(graph, "y").dtype == DType::i64);
  CHECK_FALSE(value_named(graph, "y").dims.has_value());
  CHECK(value_named(graph, "z").dims == Dims{});
  CHECK_FALSE(graph.find_value("nobody").has_value());
}

TEST_CASE("subgraphs are kept, and the outer values that they read are uses") {
  const Graph graph = load(model_of(with_header(R"(
      node { op_type: 'Relu' input: 'x' output: 'a' } node { op_type: 'Neg' input: 'x' output: 'b' }
      node { op_type: 'If' input: 'c' output: 'y'
        attribute { name: 'then_branch' type: GRAPH g { name: 't'
          node { op_type: 'Add' input: 'a' input: 'inner' output: 't1' }
          node { op_type: 'If' input: 'c' output: 't2' attribute { name: 'then_branch' type: GRAPH g { name: 'u'
            node { op_type: 'Add' input: 't1' input: 'b' output: 'u1' } output { name: 'u1' } } } }
          initializer { name: 'inner' dims: 1 data_type: 1 float_data: 1 } output { name: 't2' } } }
        attribute { name: 'else_branch' type: GRAPH g { name: 'e' output { name: 'a' } } } }
      input { name: 'x' } input { name: 'c' } output { name: 'y' })")));
  const Node& node = graph.node(graph.nodes().back());
  CHECK(node.op_type == "If");
  CHECK(std::holds_alternative<Opaque>(node.attributes.at("then_branch")));
  std::vector<std::string> captured;
  for (const ValueId id : node.captured) captured.push_back(graph.value(id).name);
  CHECK(captured == std::vector<std::string>{"a", "b", "c"});
  CHECK(graph.is_captured(*graph.find_value("a")));
  CHECK(saved(graph).graph().node(2).attribute_size() == 2);
  CHECK(to_text(load(saved(graph))) == to_text(graph));
}

TEST_CASE("nodes of equal names are told apart, even thousands of them") {
  onnx::ModelProto model = model_of(with_header("input { name: 'x' } output { name: 'y0' }"));
  for (int i = 0; i < 20000; ++i) {
    auto& node = *model.mutable_graph()->add_node();
    node.set_name(i == 1 ? "same_1" : "same");
    node.set_op_type("Relu");
    node.add_input("x");
    node.add_output("y" + std::to_string(i));
  }
  const Graph graph = load(model);  // check() finds equal names
  CHECK(graph.nodes().size() == 20000);
  CHECK(graph.node(graph.nodes()[0]).name == "same");
}

TEST_CASE("nodes in any order are sorted") {
  const Graph graph = load(model_of(with_header(R"(
      node { op_type: 'Neg' input: 'a' output: 'y' } node { op_type: 'Relu' input: 'x' output: 'a' }
      input { name: 'x' } output { name: 'y' })")));
  CHECK(graph.node(graph.nodes()[0]).op_type == "Relu");
}

TEST_CASE("attributes of old files say their type by the field that is set") {
  const Graph graph = load(model_of(with_header(R"(
      node { op_type: 'Op' input: 'x' output: 'y' attribute { name: 'f' f: 0.5 } attribute { name: 'i' i: 3 }
        attribute { name: 's' s: 'a\000b' } attribute { name: 'is' ints: 1 ints: 2 } attribute { name: 'fs' floats: 1 }
        attribute { name: 'none' type: INTS } attribute { name: 'ss' type: STRINGS strings: 'p' strings: '\377' }
        attribute { name: 't' type: TENSOR t { dims: 1 data_type: 7 int64_data: 9 } } }
      input { name: 'x' } output { name: 'y' })")));
  const Node& node = graph.node(graph.nodes()[0]);
  CHECK(node.float_or("f", 0) == 0.5F);
  CHECK(node.int_or("i", 0) == 3);
  CHECK(node.string_or("s", "") == std::string("a\0b", 3));
  CHECK(node.ints_or("is", {}) == std::vector<std::int64_t>{1, 2});
  CHECK(node.floats_or("fs", {}) == std::vector<float>{1});
  CHECK(node.ints_or("none", {7}).empty());
  CHECK(std::get<std::vector<std::string>>(node.attributes.at("ss"))[1] == "\xff");
  REQUIRE(node.tensor("t") != nullptr);
  CHECK(node.tensor("t")->data<std::int64_t>()[0] == 9);
}

}  // namespace
}  // namespace octavo::formats_test
