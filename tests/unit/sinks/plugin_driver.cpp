// SPDX-License-Identifier: Apache-2.0
#include "plugin_driver.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <ringcast/sink_audience.h>
#include <ringcast/sink_linger.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace ringcast::test {

namespace {

// "[127.0.0.1:]PORT" is all the tests need; the real parser is the host's and has its own tests.
std::int32_t listen_on_loopback(const std::string& address) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    if (::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 || ::listen(fd, 64) != 0) {
        throw std::runtime_error("cannot listen on " + address);
    }
    return fd;
}

}  // namespace

RecordingHost::RecordingHost() {
    host_.size = sizeof host_;
    host_.abi_major = RINGCAST_SINK_ABI_MAJOR;
    host_.abi_minor = RINGCAST_SINK_ABI_MINOR;
    host_.context = this;
    host_.log = [](const ringcast_sink_host* host, std::uint32_t, const char* text) {
        const std::lock_guard lock(of(host).mutex_);
        of(host).log_.emplace_back(text);
    };
    host_.set_error = [](const ringcast_sink_host* host, const char* text) {
        const std::lock_guard lock(of(host).mutex_);
        of(host).error_ = text;
    };
    host_.set_stat = [](const ringcast_sink_host* host, const char* name, std::int64_t value) {
        const std::lock_guard lock(of(host).mutex_);
        of(host).stats_[name] = value;
    };
    host_.set_info = [](const ringcast_sink_host* host, const char* name, const char* text) {
        const std::lock_guard lock(of(host).mutex_);
        of(host).info_[name] = text;
    };
    host_.request_keyframe = [](const ringcast_sink_host*) {};
    host_.still_valid = [](const ringcast_sink_host*, std::uint64_t) { return 1; };
    host_.listen_socket = [](const ringcast_sink_host* host, const char* address) -> std::int32_t {
        if (std::string(address) == "taken:1") {
            host->set_error(host, "port 1 is taken");
            return RINGCAST_SINK_E_CONFIG;
        }
        return listen_on_loopback(address);
    };
    host_.extension = [](const ringcast_sink_host*, const char*) -> const void* { return nullptr; };
}

std::string RecordingHost::info(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = info_.find(name);
    return found == info_.end() ? std::string() : found->second;
}

std::int64_t RecordingHost::stat(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = stats_.find(name);
    return found == stats_.end() ? RINGCAST_SINK_NO_STAT : found->second;
}

PluginDriver::PluginDriver(const std::filesystem::path& so, const std::vector<std::string>& words)
    : library_(::dlopen(so.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    plugin_ = static_cast<const ringcast_sink_plugin_v1*>(::dlsym(library_, RINGCAST_SINK_SYMBOL));
    if (plugin_ == nullptr) throw std::runtime_error(::dlerror());

    std::map<std::string, std::string> values;
    for (const auto* const* option = plugin_->options; *option != nullptr; ++option) {
        if ((*option)->value != nullptr) values[(*option)->key] = (*option)->value;
    }
    for (const std::string& word : words)
        values[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    std::vector<ringcast_sink_option> options;
    for (const auto& [key, value] : values)
        options.push_back({key.c_str(), value.c_str(), nullptr, nullptr});
    std::vector<const ringcast_sink_option*> pointers;
    for (const auto& option : options)
        pointers.push_back(&option);
    pointers.push_back(nullptr);
    create_result_ = plugin_->create(host_.get(), pointers.data(), &self_);
}

PluginDriver::~PluginDriver() {
    if (self_ != nullptr) plugin_->destroy(self_);
    ::dlclose(library_);
}

std::int32_t PluginDriver::headers(const TestMedia& media) {
    std::vector<const ringcast_sink_stream*> streams;
    for (const auto& stream : media.streams)
        streams.push_back(&stream.description);
    return plugin_->headers(self_, streams.data(), static_cast<std::uint32_t>(streams.size()));
}

std::int32_t PluginDriver::packet(const MediaPacket& packet) {
    const ringcast_sink_packet view = packet.view();
    return plugin_->packet(self_, &view);
}

void PluginDriver::linger() {
    const auto* feature = static_cast<const ringcast_sink_linger_v1*>(plugin_->extension(self_, RINGCAST_SINK_LINGER));
    if (feature != nullptr) feature->linger(self_);
}

std::uint32_t PluginDriver::peers() const {
    const void* feature = plugin_->extension(self_, RINGCAST_SINK_AUDIENCE);
    return static_cast<const ringcast_sink_audience_v1*>(feature)->peers(self_);
}

std::string PluginDriver::waits_for() const {
    std::array<char, 256> text{};
    const void* feature = plugin_->extension(self_, RINGCAST_SINK_AUDIENCE);
    static_cast<const ringcast_sink_audience_v1*>(feature)->waits_for(self_, text.data(), text.size());
    return text.data();
}

std::int32_t PluginDriver::feed(const TestMedia& media, std::int64_t until_us) {
    if (const auto result = connect(); result != RINGCAST_SINK_OK) return result;
    if (const auto result = headers(media); result != RINGCAST_SINK_OK) return result;
    for (const MediaPacket& each : media.packets) {
        if (each.dts_us >= until_us) continue;
        if (const auto result = packet(each); result != RINGCAST_SINK_OK) return result;
    }
    return RINGCAST_SINK_OK;
}

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ringcast-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace ringcast::test
