#pragma once

#include <string>
#include <string_view>

#include "tnn/content.h"

namespace octavo::formats::tnn {

/// Reads .tnnproto as TNN does: quotation marks and line ends are nothing, commas end records, blanks tokens. Throws
/// Error(bad_model) naming the record.
Proto parse_proto(std::string_view text);

/// Writes it as TNN's packer does. Throws Error(unsupported) for a record that TNN would cut.
std::string proto_text(const Proto& proto);

}  // namespace octavo::formats::tnn
