#include "onnx_reader.hpp"

#include <limits>
#include <utility>

#include "fastcaloq/error.hpp"
#include "sha256.hpp"
#include "text.hpp"
#include "wire.hpp"

namespace fastcaloq::detail {
namespace {

// Field numbers are those of onnx.proto (ONNX IR version 9).

std::int64_t as_int64(const WireField& field, const WireReader& reader) {
  if (field.type != WireType::varint) reader.fail("a number stored as something else");
  return static_cast<std::int64_t>(field.value);
}

std::string_view as_bytes(const WireField& field, const WireReader& reader) {
  if (field.type != WireType::bytes) reader.fail("a text or message stored as something else");
  return field.bytes;
}

std::size_t element_size(std::int32_t type) {
  switch (type) {
    case static_cast<std::int32_t>(ElementType::float32):
      return 4;
    case static_cast<std::int32_t>(ElementType::int64):
    case static_cast<std::int32_t>(ElementType::float64):
      return 8;
    default:
      return 0;
  }
}

void check_size(Tensor& tensor, bool raw) {
  std::size_t size = 1;
  for (const std::int64_t dim : tensor.dims) {
    if (dim < 0) {
      throw ModelError("initialiser " + in_quotes(tensor.name) +
                       " has a negative dimension; the file is damaged: fetch or export it again");
    }
    const auto extent = static_cast<std::size_t>(dim);
    if (extent != 0 && size > std::numeric_limits<std::size_t>::max() / 16 / extent) {
      throw ModelError("initialiser " + in_quotes(tensor.name) +
                       " claims more elements than memory can hold; the file is damaged: "
                       "fetch or export it again");
    }
    size *= extent;
  }
  tensor.size = size;
  const std::size_t width = element_size(tensor.element_type);
  if (raw && width != 0 && tensor.data.size() != size * width) {
    throw ModelError("initialiser " + in_quotes(tensor.name) + " holds " +
                     std::to_string(tensor.data.size()) + " bytes where its shape asks for " +
                     std::to_string(size * width) +
                     "; the file is damaged: fetch or export it again");
  }
}

Tensor read_tensor(std::string_view bytes) {
  WireReader reader(bytes, "initialiser");
  Tensor tensor;
  bool raw = false;
  for (WireField field; reader.next(field);) {
    switch (field.number) {
      case 1:  // dims, packed or one by one
        if (field.type == WireType::bytes) {
          for (WireReader dims(field.bytes, "initialiser's dimensions"); !dims.done();) {
            tensor.dims.push_back(static_cast<std::int64_t>(dims.varint()));
          }
        } else {
          tensor.dims.push_back(as_int64(field, reader));
        }
        if (tensor.dims.size() > 8) reader.fail("more than 8 dimensions");
        break;
      case 2: {
        const std::int64_t type = as_int64(field, reader);
        if (type < 0 || type > 64) reader.fail("an unknown element type");
        tensor.element_type = static_cast<std::int32_t>(type);
        break;
      }
      case 8:
        tensor.name = as_bytes(field, reader);
        break;
      case 9:
        tensor.data = as_bytes(field, reader);
        raw = true;
        break;
      case 13:
        reader.fail("weights kept outside the file, which are not supported,");
      case 14:
        if (as_int64(field, reader) != 0) {
          reader.fail("weights kept outside the file, which are not supported,");
        }
        break;
      default:
        break;
    }
  }
  check_size(tensor, raw);
  return tensor;
}

std::vector<std::int64_t> read_shape(std::string_view bytes) {
  WireReader shape(bytes, "shape");
  std::vector<std::int64_t> dims;
  for (WireField field; shape.next(field);) {
    if (field.number != 1) continue;
    WireReader dimension(as_bytes(field, shape), "dimension");
    std::int64_t value = -1;
    for (WireField part; dimension.next(part);) {
      if (part.number == 1) value = as_int64(part, dimension);
    }
    dims.push_back(value);
  }
  return dims;
}

GraphValue read_value(std::string_view bytes) {
  GraphValue value;
  WireReader reader(bytes, "input or output");
  for (WireField field; reader.next(field);) {
    if (field.number == 1) value.name = as_bytes(field, reader);
    if (field.number != 2) continue;
    WireReader type(as_bytes(field, reader), "type");
    for (WireField kind; type.next(kind);) {
      if (kind.number != 1) continue;  // anything but a tensor keeps element type 0
      WireReader tensor(as_bytes(kind, type), "tensor type");
      for (WireField part; tensor.next(part);) {
        if (part.number == 1) {
          const std::int64_t element = as_int64(part, tensor);
          value.element_type = element < 0 || element > 64 ? 0 : static_cast<std::int32_t>(element);
        }
        if (part.number == 2) value.dims = read_shape(as_bytes(part, tensor));
      }
    }
  }
  return value;
}

void read_graph(std::string_view bytes, OnnxFile& file) {
  WireReader reader(bytes, "graph");
  for (WireField field; reader.next(field);) {
    if (field.number == 5) {
      Tensor tensor = read_tensor(as_bytes(field, reader));
      if (tensor.name.empty()) reader.fail("an initialiser without a name");
      std::string name = tensor.name;
      if (!file.initializers.emplace(std::move(name), std::move(tensor)).second) {
        reader.fail("a second initialiser of the same name");
      }
    } else if (field.number == 11) {
      file.inputs.push_back(read_value(as_bytes(field, reader)));
    } else if (field.number == 12) {
      file.outputs.push_back(read_value(as_bytes(field, reader)));
    }
  }
}

void read_metadata(std::string_view bytes, OnnxFile& file) {
  WireReader reader(bytes, "metadata");
  std::string key;
  std::string_view value;
  for (WireField field; reader.next(field);) {
    if (field.number == 1) key = as_bytes(field, reader);
    if (field.number == 2) value = as_bytes(field, reader);
  }
  if (!file.metadata.emplace(std::move(key), value).second) {
    reader.fail("a second metadata entry of the same key");
  }
}

void read_opset(std::string_view bytes, OnnxFile& file) {
  WireReader reader(bytes, "operator set");
  std::string_view domain;
  std::int64_t version = 0;
  for (WireField field; reader.next(field);) {
    if (field.number == 1) domain = as_bytes(field, reader);
    if (field.number == 2) version = as_int64(field, reader);
  }
  if (domain.empty() || domain == "ai.onnx") file.opset = version;
}

}  // namespace

OnnxFile read_onnx(std::string_view bytes) {
  OnnxFile file;
  bool graph = false;
  WireReader reader(bytes, "top level");
  for (WireField field; reader.next(field);) {
    switch (field.number) {
      case 1:
        file.ir_version = as_int64(field, reader);
        break;
      case 7:
        if (graph) reader.fail("a second graph");
        graph = true;
        read_graph(as_bytes(field, reader), file);
        break;
      case 8:
        read_opset(as_bytes(field, reader), file);
        break;
      case 14:
        read_metadata(as_bytes(field, reader), file);
        break;
      default:
        break;
    }
  }
  if (!graph || file.ir_version <= 0) {
    throw ModelError(
        "not an ONNX file: it holds no graph; it may be truncated or of another format: give a "
        "file written by 'fastcaloq export-onnx'");
  }
  return file;
}

std::string file_digest(std::string_view bytes, std::string_view digest_field) {
  const auto start = static_cast<std::size_t>(digest_field.data() - bytes.data());
  Sha256 sha;
  sha.update(bytes.substr(0, start));
  sha.update(std::string(digest_field.size(), '0'));
  sha.update(bytes.substr(start + digest_field.size()));
  return sha.hex_digest();
}

}  // namespace fastcaloq::detail
