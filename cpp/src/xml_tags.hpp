/// \file
/// The elements of a small XML file: as much of XML as a list of elements with attributes needs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fastcaloq::detail {

/// An element and how deep it lies; the outermost is at 0.
struct XmlElement {
  std::string name;
  std::map<std::string, std::string, std::less<>> attributes;
  std::size_t depth = 0;
};

/// All elements, in the order of the text. Comments, declarations and text between elements are passed
/// over; entities are not replaced. Throws InputError for what is not well-formed.
std::vector<XmlElement> xml_elements(std::string_view text);

}  // namespace fastcaloq::detail
