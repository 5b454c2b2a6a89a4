#include <cmath>
#include <nlohmann/json.hpp>

#include "octavo/report.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

/// Counts up where a key is renamed or removed, or means something else; new keys leave it.
constexpr int kVersion = 1;

Json number(double value) {
  if (std::isnan(value)) return "nan";
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json to_json(const Distance& distance) {
  return {{"sqnr_db", number(distance.sqnr_db)},
          {"cosine", number(distance.cosine)},
          {"max_error", number(distance.max_error)}};
}

Json to_json(const std::optional<Accuracy>& accuracy) {
  if (!accuracy) return nullptr;
  return {{"top1", accuracy->top1}, {"top5", accuracy->top5}};
}

Json to_json(const std::optional<MaskAccuracy>& accuracy) {
  if (!accuracy) return nullptr;
  return {{"mean_iou", accuracy->mean_iou}, {"pixels", accuracy->pixels}};
}

Json to_json(const WorkShare& work) {
  const auto share = work.integer_share();
  return {{"integer_multiplies", work.integer_multiplies},
          {"float_multiplies", work.float_multiplies},
          {"integer_share", share ? Json(*share) : Json(nullptr)},
          {"unknown", work.unknown},
          {"boundaries", work.boundaries}};
}

template <typename T>
Json to_json(const std::optional<std::pair<T, T>>& size) {
  return size ? Json{size->first, size->second} : Json(nullptr);
}

Json to_json(const std::optional<Layout>& layout) {
  if (!layout) return nullptr;
  return *layout == Layout::nchw ? "nchw" : "nhwc";
}

Json to_json(const std::vector<std::pair<std::string, Preprocess>>& inputs) {
  Json list = Json::array();
  for (const auto& [input, p] : inputs) {
    list.push_back({{"input", input},
                    {"crop_fraction", p.crop_fraction ? Json(*p.crop_fraction) : Json(nullptr)},
                    {"resize", to_json(p.resize)},
                    {"resize_short", p.resize_short ? Json(*p.resize_short) : Json(nullptr)},
                    {"center_crop", to_json(p.center_crop)},
                    {"interpolation", name_of(p.interpolation)},
                    {"channel_order", p.order == ChannelOrder::rgb ? "rgb" : "bgr"},
                    {"layout", to_json(p.layout)},
                    {"pixel_range", {p.pixel_range.first, p.pixel_range.second}},
                    {"mean", p.mean},
                    {"scale", p.scale},
                    {"std", p.std}});
  }
  return list;
}

}  // namespace

std::string to_json(const Comparison& comparison, const ReportSubject& subject) {
  Json report{{"version", kVersion},
              {"reference", subject.reference},
              {"quantized", subject.quantized},
              {"backend", subject.backend},
              {"preprocessing", to_json(subject.preprocessing)},
              {"notes", subject.notes},
              {"work", to_json(subject.work)},
              {"samples", comparison.samples},
              {"labelled", comparison.labelled},
              {"float_accuracy", to_json(comparison.float_accuracy)},
              {"quantized_accuracy", to_json(comparison.quantized_accuracy)},
              {"masked", comparison.masked},
              {"float_masks", to_json(comparison.float_masks)},
              {"quantized_masks", to_json(comparison.quantized_masks)},
              {"outputs", Json::array()},
              {"layers", Json::array()},
              {"bad_files", comparison.bad_files}};
  for (const OutputComparison& output : comparison.outputs) {
    Json entry = output.compared > 0 ? to_json(output.distance) : Json::object();
    entry["name"] = output.name;
    entry["compared"] = output.compared;
    entry["top1_agreement"] = output.top1_agreement ? Json(*output.top1_agreement) : Json(nullptr);
    report["outputs"].push_back(std::move(entry));
  }
  for (const LayerComparison& layer : comparison.layers) {
    Json entry = to_json(layer.distance);
    entry["value"] = layer.value;
    entry["node"] = layer.node;
    entry["op_type"] = layer.op_type;
    report["layers"].push_back(std::move(entry));
  }
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace octavo
