#include "xml_tags.hpp"

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

constexpr std::string_view spaces = " \t\r\n";

[[noreturn]] void refuse(const std::string& what) {
  throw InputError("not well-formed XML (" + what + "): expected <Bins><Bin ...><Layer .../>");
}

/// The text of one tag, from which parts are taken off the front.
class TagText {
 public:
  explicit TagText(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }
  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(spaces), rest_.size()));
  }
  std::string take_name() {
    const std::size_t end = std::min(rest_.find_first_of(" \t\r\n=\"'<>&"), rest_.size());
    if (end == 0) refuse("a name is missing");
    std::string name(rest_.substr(0, end));
    rest_.remove_prefix(end);
    skip_spaces();
    return name;
  }
  std::string take_value(const std::string& name) {
    if (rest_.empty() || rest_.front() != '=') refuse("no value for " + in_quotes(name));
    rest_.remove_prefix(1);
    skip_spaces();
    const char quote = rest_.empty() ? ' ' : rest_.front();
    const std::size_t end = quote == '"' || quote == '\'' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) refuse("the value of " + in_quotes(name) + " is not in quotes");
    std::string value(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    skip_spaces();
    return value;
  }

 private:
  std::string_view rest_;
};

/// Where a tag that starts at `start` ends: its '>' outside of quotes.
std::size_t end_of_tag(std::string_view text, std::size_t start) {
  char quote = 0;
  for (std::size_t i = start; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return i;
    }
  }
  refuse("a tag has no end");
}

}  // namespace

std::vector<XmlElement> xml_elements(std::string_view text) {
  std::vector<XmlElement> elements;
  std::vector<std::string> open;
  for (std::size_t at = text.find('<'); at != text.npos; at = text.find('<', at)) {
    if (text.substr(at, 4) == "<!--") {
      const std::size_t end = text.find("-->", at + 4);
      if (end == text.npos) refuse("a comment has no end");
      at = end + 3;
      continue;
    }
    const std::size_t end = end_of_tag(text, at);
    std::string_view inner = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (inner.substr(0, 1) == "?") continue;
    if (inner.substr(0, 1) == "!") refuse("it has declarations of its own");
    if (inner.substr(0, 1) == "/") {
      TagText tag(inner.substr(1));
      const std::string name = tag.take_name();
      if (open.empty() || open.back() != name) refuse("</" + name + "> closes nothing");
      open.pop_back();
      continue;
    }
    const bool closed = !inner.empty() && inner.back() == '/';
    if (closed) inner.remove_suffix(1);
    if (open.empty() && !elements.empty()) refuse("it has two outermost elements");
    TagText tag(inner);
    XmlElement element{tag.take_name(), {}, open.size()};
    while (!tag.empty()) {
      const std::string name = tag.take_name();
      if (!element.attributes.emplace(name, tag.take_value(name)).second) {
        refuse(in_quotes(name) + " stands twice in <" + element.name + ">");
      }
    }
    if (!closed) open.push_back(element.name);
    elements.push_back(std::move(element));
  }
  if (!open.empty()) refuse("<" + open.back() + "> is not closed");
  return elements;
}

}  // namespace fastcaloq::detail
