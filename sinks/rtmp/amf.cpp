// SPDX-License-Identifier: Apache-2.0
#include "rtmp/amf.hpp"

namespace ringcast::sink {

namespace {

/// Owns what AMF_Decode allocates; names and strings point into the bytes.
class Decoded {
public:
    explicit Decoded(std::span<const std::uint8_t> bytes)
        : ok_(AMF_Decode(&object_, reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size()),
                         FALSE) >= 0) {}
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;
    ~Decoded() { AMF_Reset(&object_); }

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] int count() const { return object_.o_num; }
    [[nodiscard]] AMFObjectProperty* at(int index) { return AMF_GetProp(&object_, nullptr, index); }

private:
    AMFObject object_{};
    bool ok_;
};

std::string text_of(const AMFObjectProperty& property) {
    if (property.p_type != AMF_STRING && property.p_type != AMF_LONG_STRING) return {};
    return {property.p_vu.p_aval.av_val, static_cast<std::size_t>(property.p_vu.p_aval.av_len)};
}

void read_information(AMFObject& object, AmfCommand& command) {
    for (int i = 0; i < object.o_num; ++i) {
        const AMFObjectProperty& member = object.o_props[i];
        const std::string_view name(member.p_name.av_val, static_cast<std::size_t>(member.p_name.av_len));
        if (name == "level") command.level = text_of(member);
        if (name == "code") command.code = text_of(member);
        if (name == "description") command.description = text_of(member);
        if (name == "app") command.app = text_of(member);
    }
}

}  // namespace

AVal aval(std::string_view text) {
    return {const_cast<char*>(text.data()), static_cast<int>(text.size())};
}

AmfWriter& AmfWriter::value(const Value& value) {
    constexpr std::size_t kMarkerAndLength = 16;  // more than any value has in front
    const std::size_t before = bytes_.size();
    const auto* text = std::get_if<std::string_view>(&value);
    bytes_.resize(before + kMarkerAndLength + (text == nullptr ? 0 : text->size()));
    char* const begin = reinterpret_cast<char*>(bytes_.data());
    char* const at = begin + before;
    char* const end = begin + bytes_.size();
    char* after = nullptr;
    if (text != nullptr) {
        const AVal string = aval(*text);
        after = AMF_EncodeString(at, end, &string);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
        after = AMF_EncodeBoolean(at, end, *flag ? TRUE : FALSE);
    } else {
        after = AMF_EncodeNumber(at, end, std::get<double>(value));
    }
    bytes_.resize(static_cast<std::size_t>(after - begin));
    return *this;
}

AmfWriter& AmfWriter::null() {
    bytes_.push_back(AMF_NULL);
    return *this;
}

AmfWriter& AmfWriter::array(const std::vector<Named>& members) {
    bytes_.insert(bytes_.end(), {AMF_ECMA_ARRAY, 0, 0, 0, static_cast<std::uint8_t>(members.size())});
    return this->members(members);
}

AmfWriter& AmfWriter::object(const std::vector<Named>& members) {
    bytes_.push_back(AMF_OBJECT);
    return this->members(members);
}

AmfWriter& AmfWriter::members(const std::vector<Named>& members) {
    for (const auto& [name, member] : members) {
        bytes_.insert(bytes_.end(), {0, static_cast<std::uint8_t>(name.size())});
        bytes_.insert(bytes_.end(), name.begin(), name.end());
        value(member);
    }
    bytes_.insert(bytes_.end(), {0, 0, AMF_OBJECT_END});
    return *this;
}

std::string AmfCommand::words() const {
    if (code.empty() && description.empty()) return "it gave no reason";
    if (code.empty() || description.empty()) return code + description;
    return code + ": " + description;
}

std::optional<AmfCommand> read_command(std::span<const std::uint8_t> body) {
    Decoded decoded(body);
    if (!decoded.ok() || decoded.count() < 2) return std::nullopt;
    if (decoded.at(0)->p_type != AMF_STRING || decoded.at(1)->p_type != AMF_NUMBER) return std::nullopt;
    AmfCommand command;
    command.name = text_of(*decoded.at(0));
    command.transaction = decoded.at(1)->p_vu.p_number;
    for (int i = 2; i < decoded.count(); ++i) {
        AMFObjectProperty& property = *decoded.at(i);
        if (property.p_type == AMF_OBJECT || property.p_type == AMF_ECMA_ARRAY)
            read_information(property.p_vu.p_object, command);
        if (property.p_type == AMF_NUMBER) command.number = property.p_vu.p_number;
        if (property.p_type == AMF_STRING) command.texts.push_back(text_of(property));
    }
    return command;
}

}  // namespace ringcast::sink
