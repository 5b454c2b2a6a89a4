#include <cmath>
#include <nlohmann/json.hpp>

#include "octavo/report.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

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

}  // namespace

std::string to_json(const Comparison& comparison, std::string_view reference, std::string_view quantized) {
  Json report{{"reference", reference},
              {"quantized", quantized},
              {"samples", comparison.samples},
              {"labelled", comparison.labelled},
              {"float_accuracy", to_json(comparison.float_accuracy)},
              {"quantized_accuracy", to_json(comparison.quantized_accuracy)},
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
