// SPDX-License-Identifier: Apache-2.0
#include "plugin_instance.hpp"

#include <ringcast/sink_linger.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "plugin_description.hpp"
#include "plugin_error.hpp"

namespace ringcast::host {
namespace {

using runtime::OutputStatus;

static_assert(static_cast<int>(OutputStatus::again) == -RINGCAST_SINK_E_AGAIN);
static_assert(static_cast<int>(OutputStatus::transient) == -RINGCAST_SINK_E_TRANSIENT);
static_assert(static_cast<int>(OutputStatus::rejected) == -RINGCAST_SINK_E_REJECTED);
static_assert(static_cast<int>(OutputStatus::config) == -RINGCAST_SINK_E_CONFIG);
static_assert(static_cast<int>(OutputStatus::interrupted) == -RINGCAST_SINK_E_INTERRUPTED);
static_assert(static_cast<int>(OutputStatus::unsupported) == -RINGCAST_SINK_E_UNSUPPORTED);
static_assert(static_cast<int>(OutputStatus::storage) == -RINGCAST_SINK_E_STORAGE);
static_assert(static_cast<int>(OutputStatus::internal) == -RINGCAST_SINK_E_INTERNAL);
static_assert(static_cast<int>(Codec::h264) == RINGCAST_SINK_H264 &&
              static_cast<int>(Codec::h265) == RINGCAST_SINK_H265);
static_assert(static_cast<int>(Codec::aac) == RINGCAST_SINK_AAC && static_cast<int>(Codec::opus) == RINGCAST_SINK_OPUS);
static_assert(static_cast<int>(runtime::Media::video) == RINGCAST_SINK_VIDEO);
static_assert(static_cast<int>(runtime::Media::audio) == RINGCAST_SINK_AUDIO);

ringcast_sink_stream to_c(const runtime::StreamInfo& info) {
    ringcast_sink_stream stream{};
    stream.size = sizeof stream;
    stream.media = static_cast<std::uint32_t>(info.media);
    stream.codec = static_cast<std::uint32_t>(info.codec);
    stream.timebase_num = info.timebase.num;
    stream.timebase_den = info.timebase.den;
    stream.width = info.width;
    stream.height = info.height;
    stream.fps_num = info.fps.num;
    stream.fps_den = info.fps.den;
    stream.sample_rate = info.sample_rate;
    stream.channels = info.channels;
    stream.initial_padding = info.initial_padding;
    stream.bitrate_bps = info.bitrate_bps;
    stream.extradata = info.extradata.data();
    stream.extradata_size = info.extradata.size();
    stream.epoch_realtime_ns = info.epoch_realtime_ns;
    return stream;
}

/// Values as the ABI passes them; the strings stay the caller's.
class OptionList {
public:
    void add(const std::string& key, const std::string& value) {
        options_.push_back({key.c_str(), value.c_str(), nullptr, nullptr});
    }
    /// NULL-terminated; valid until the next add().
    const ringcast_sink_option* const* pointers() {
        pointers_.clear();
        for (const ringcast_sink_option& option : options_)
            pointers_.push_back(&option);
        pointers_.push_back(nullptr);
        return pointers_.data();
    }

private:
    std::vector<ringcast_sink_option> options_;
    std::vector<const ringcast_sink_option*> pointers_;
};

}  // namespace

PluginInstance::PluginInstance(Plugin plugin, std::shared_ptr<spdlog::logger> log,
                               std::shared_ptr<const Redactor> redactor,
                               const std::vector<std::pair<std::string, std::string>>& options)
    : plugin_(std::move(plugin)), host_(std::move(log), std::move(redactor)) {
    std::vector<DeclaredOption> values = declared_options(plugin_.api());
    for (const auto& word : options) {
        const std::string& key = word.first;
        const auto declared =
            std::find_if(values.begin(), values.end(), [&](const DeclaredOption& option) { return option.key == key; });
        if (declared == values.end()) throw UsageError("unknown option " + key + " of plugin " + plugin_.api().name);
        declared->value = word.second;
        declared->has_value = true;
    }
    OptionList passed;
    for (const DeclaredOption& option : values) {
        if (option.has_value) passed.add(option.key, option.value);
    }
    const std::int32_t code = plugin_.api().create(host_.table(), passed.pointers(), &self_);
    const OutputStatus status = status_of("create", code);
    if (status == OutputStatus::config) throw UsageError(last_error());
    if (status != OutputStatus::ok) throw PluginError(last_error());
}

PluginInstance::~PluginInstance() {
    plugin_.api().destroy(self_);
}

/// A plugin that fails without a word still gets a line that names it, the call and the class.
OutputStatus PluginInstance::status_of(const char* call, std::int32_t code) {
    const bool known = code <= RINGCAST_SINK_OK && code >= RINGCAST_SINK_E_INTERNAL;
    const OutputStatus status = known ? static_cast<OutputStatus>(-code) : OutputStatus::internal;
    if (status == OutputStatus::ok) return status;
    if (!known) {
        const std::string text = std::string("plugin ") + plugin_.api().name + ": " + call + "() returned " +
                                 std::to_string(code) + ", which is no code of ABI 1";
        host_.table()->set_error(host_.table(), text.c_str());
    } else if (host_.error().empty()) {
        const std::string text = std::string("plugin ") + plugin_.api().name + ": " + call + "() failed (" +
                                 std::string(name_of(status)) + ") without giving a reason";
        host_.table()->set_error(host_.table(), text.c_str());
    }
    return status;
}

OutputStatus PluginInstance::connect() {
    host_.clear_error();
    return status_of("connect", plugin_.api().connect(self_));
}

OutputStatus PluginInstance::headers(std::span<const runtime::StreamInfo> streams) {
    host_.clear_error();
    std::vector<ringcast_sink_stream> list;
    list.reserve(streams.size());
    for (const runtime::StreamInfo& info : streams)
        list.push_back(to_c(info));
    std::vector<const ringcast_sink_stream*> pointers;
    pointers.reserve(list.size());
    for (const ringcast_sink_stream& stream : list)
        pointers.push_back(&stream);
    const auto count = static_cast<std::uint32_t>(pointers.size());
    return status_of("headers", plugin_.api().headers(self_, pointers.data(), count));
}

OutputStatus PluginInstance::packet(const runtime::Packet& packet) {
    ringcast_sink_packet c{};
    c.size = sizeof c;
    c.stream = packet.stream;
    c.flags = packet.key ? RINGCAST_SINK_PACKET_KEY : 0U;
    c.pts = packet.pts;
    c.dts = packet.dts;
    c.duration = packet.duration;
    c.capture_time_ns = packet.capture_time_ns;
    c.data = packet.data().data();
    c.data_size = packet.data().size();
    return status_of("packet", plugin_.api().packet(self_, &c));
}

OutputStatus PluginInstance::disconnect(bool final) {
    return status_of("disconnect", plugin_.api().disconnect(self_, final ? 1 : 0));
}

void PluginInstance::interrupt() noexcept {
    plugin_.api().interrupt(self_);
}

const ringcast_sink_replace_v1* PluginInstance::replacing() const {
    if (plugin_.api().extension == nullptr) return nullptr;
    return static_cast<const ringcast_sink_replace_v1*>(plugin_.api().extension(self_, RINGCAST_SINK_REPLACE));
}

OutputStatus PluginInstance::replace_options(std::span<const std::pair<std::string, std::string>> options) {
    host_.clear_error();
    OptionList passed;
    for (const auto& [key, value] : options)
        passed.add(key, value);
    return status_of("replace", replacing()->replace(self_, passed.pointers()));
}

void PluginInstance::linger() {
    if (plugin_.api().extension == nullptr) return;
    const auto* feature =
        static_cast<const ringcast_sink_linger_v1*>(plugin_.api().extension(self_, RINGCAST_SINK_LINGER));
    constexpr std::size_t kSize = offsetof(ringcast_sink_linger_v1, linger) + sizeof(feature->linger);
    if (feature != nullptr && feature->size >= kSize && feature->linger != nullptr) feature->linger(self_);
}

const ringcast_sink_audience_v1* PluginInstance::audience() const {
    if (plugin_.api().extension == nullptr) return nullptr;
    const auto* feature =
        static_cast<const ringcast_sink_audience_v1*>(plugin_.api().extension(self_, RINGCAST_SINK_AUDIENCE));
    constexpr std::size_t kSize = offsetof(ringcast_sink_audience_v1, waits_for) + sizeof(feature->waits_for);
    const bool whole = feature != nullptr && feature->size >= kSize && feature->peers != nullptr;
    return whole && feature->waits_for != nullptr ? feature : nullptr;
}

std::optional<std::uint32_t> PluginInstance::peers() const {
    const ringcast_sink_audience_v1* feature = audience();
    return feature == nullptr ? std::nullopt : std::optional(feature->peers(self_));
}

std::string PluginInstance::waits_for() const {
    const ringcast_sink_audience_v1* feature = audience();
    std::array<char, 256> text{};
    if (feature != nullptr) feature->waits_for(self_, text.data(), text.size());
    text.back() = '\0';
    const std::string line = host_.one_line(text.data());
    return line.empty() ? "waits for a peer" : line;
}

std::uint64_t PluginInstance::bytes_sent() const {
    return plugin_.api().bytes_sent(self_);
}

std::string PluginInstance::last_error() const {
    return host_.error();
}

}  // namespace ringcast::host
