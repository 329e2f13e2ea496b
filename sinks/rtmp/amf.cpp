// SPDX-License-Identifier: Apache-2.0
#include "rtmp/amf.hpp"

#include <algorithm>

#include "rtmp/byte_order.hpp"

namespace ringcast::sink {

namespace {

/// Objects in objects: librtmp decodes each level by calling itself, and three bytes make one. Real commands have two.
constexpr std::size_t kMostLevels = 32;

/// Walks over AMF0 values as librtmp will, without calling itself.
class Walk {
public:
    explicit Walk(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    /// The values in front that are whole and of kinds that librtmp knows; nullopt: they are nested too deep.
    std::optional<std::span<const std::uint8_t>> understood() {
        std::size_t whole = 0;
        for (bool goes_on = true; goes_on;) {
            while (!levels_.empty() && levels_.back() == 0)
                levels_.pop_back();
            if (levels_.empty()) whole = at_;
            goes_on = at_ < bytes_.size() && step();
            if (levels_.size() > kMostLevels) return std::nullopt;
        }
        return bytes_.first(whole);
    }

private:
    /// A level is the number of values still to come; kNamed: pairs up to the mark of the end.
    static constexpr std::uint32_t kNamed = 0xFFFFFFFF;

    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
    bool skip(std::size_t count) {
        if (count > left()) return false;
        at_ += count;
        return true;
    }
    bool open(std::size_t header, std::uint32_t values) {
        levels_.push_back(values);
        return skip(header);
    }

    /// False: what stands there is not whole, or not known.
    bool step() {
        if (!levels_.empty() && levels_.back() == kNamed) {
            if (left() < 3) return false;
            const auto rest = bytes_.subspan(at_);
            if (read_be24(rest) == AMF_OBJECT_END) {
                levels_.back() = 0;
                return skip(3);
            }
            if (!skip(2U + (std::size_t{rest[0]} << 8U | rest[1])) || left() == 0) return false;
        } else if (!levels_.empty()) {
            --levels_.back();
        }
        return value();
    }

    bool value() {
        const auto rest = bytes_.subspan(at_);
        switch (rest[0]) {
            case AMF_NUMBER:
                return skip(9);
            case AMF_BOOLEAN:
                return skip(2);
            case AMF_STRING:
                return left() >= 3 && skip(3U + (std::size_t{rest[1]} << 8U | rest[2]));
            case AMF_NULL:
            case AMF_UNDEFINED:
            case AMF_UNSUPPORTED:
                return skip(1);
            case AMF_DATE:
                return skip(11);
            case AMF_LONG_STRING:
            case AMF_XML_DOC:
                return left() >= 5 && skip(std::size_t{5} + read_be32(rest.subspan(1)));
            case AMF_OBJECT:
                return open(1, kNamed);
            case AMF_ECMA_ARRAY:
                return open(5, kNamed);
            case AMF_STRICT_ARRAY:
                return left() >= 5 && open(5, std::min(read_be32(rest.subspan(1)), kNamed - 1));
            default:
                return false;
        }
    }

    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
    std::vector<std::uint32_t> levels_;
};

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
    const auto understood = Walk(body).understood();
    if (!understood) return std::nullopt;
    Decoded decoded(*understood);
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
