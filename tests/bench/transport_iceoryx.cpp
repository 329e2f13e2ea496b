// SPDX-License-Identifier: Apache-2.0
/// Eclipse iceoryx with its daemon RouDi, which is started and ended here.
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <stdexcept>

#include "transport.hpp"

namespace ringcast::bench {
namespace {

const iox::capro::ServiceDescription kService{"ringcast", "bench", "frames"};

class Iceoryx final : public Transport {
public:
    explicit Iceoryx(unsigned readers) : prefix_("ringcast-bench-" + std::to_string(getpid())) {
        const std::string config = std::filesystem::temp_directory_path() / (prefix_ + ".toml");
        // Chunks: what the queues may hold, one in each reader's hand, one open.
        std::ofstream(config) << "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = " << kFrameBytes
                              << "\ncount = " << kSlots + readers + 2 << "\n";
        daemon_ = fork();
        if (daemon_ == 0) {
            const int nowhere = open("/dev/null", O_WRONLY);
            dup2(nowhere, STDOUT_FILENO);
            dup2(nowhere, STDERR_FILENO);
            execlp("iox-roudi", "iox-roudi", "-c", config.c_str(), "-l", "off", nullptr);
            _exit(127);
        }
        usleep(500'000);
        if (waitpid(daemon_, nullptr, WNOHANG) != 0) throw std::runtime_error("iox-roudi does not run");
    }
    ~Iceoryx() override {
        // RouDi aborts when its clients were killed, and then all of this stays behind.
        kill(daemon_, SIGKILL);
        waitpid(daemon_, nullptr, 0);
        shm_unlink("/iceoryx_mgmt");
        shm_unlink(("/" + std::string(getgrgid(getegid())->gr_name)).c_str());
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
            const std::string name = entry.path().filename();
            const bool of_daemon = name == "roudi" || name == "roudi.lock" || name == "iox-unique-roudi.lock";
            if (of_daemon || name.starts_with(prefix_)) std::filesystem::remove(entry, ignored);
        }
    }

    void open_writer() override {
        join("writer");
        publisher_ = std::make_unique<iox::popo::UntypedPublisher>(kService);
    }
    std::span<std::byte> prepare() override {
        publisher_->loan(kFrameBytes).and_then([&](void*& chunk) { chunk_ = chunk; }).or_else([](auto&) {
            throw std::runtime_error("loan");
        });
        return {static_cast<std::byte*>(chunk_), kFrameBytes};
    }
    void publish() override { publisher_->publish(chunk_); }

    void open_reader(unsigned number) override {
        join("reader-" + std::to_string(number));
        iox::popo::SubscriberOptions options;
        options.queueCapacity = kSlots;
        subscriber_ = std::make_unique<iox::popo::UntypedSubscriber>(kService, options);
        waiting_ = std::make_unique<iox::popo::WaitSet<>>();
        waiting_->attachState(*subscriber_, iox::popo::SubscriberState::HAS_DATA).or_else([](auto) {
            throw std::runtime_error("attachState");
        });
        while (subscriber_->getSubscriptionState() != iox::SubscribeState::SUBSCRIBED)
            usleep(1000);
    }
    std::uint64_t receive() override {
        std::uint64_t stamp = 0;
        bool got = false;
        while (!got) {
            if (!subscriber_->hasData()) waiting_->wait();
            subscriber_->take().and_then([&](const void* chunk) {
                std::memcpy(&stamp, chunk, sizeof stamp);
                subscriber_->release(chunk);
                got = true;
            });
        }
        return stamp;
    }

private:
    void join(const std::string& name) {
        const std::string whole = prefix_ + "-" + name;
        iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kOff,
                                                                 iox::log::LogLevelOutput::kHideLogLevel);
        iox::runtime::PoshRuntime::initRuntime({iox::cxx::TruncateToCapacity, whole.c_str()});
    }

    std::string prefix_;
    pid_t daemon_ = -1;
    std::unique_ptr<iox::popo::UntypedPublisher> publisher_;
    std::unique_ptr<iox::popo::UntypedSubscriber> subscriber_;
    std::unique_ptr<iox::popo::WaitSet<>> waiting_;
    void* chunk_ = nullptr;
};

}  // namespace

std::unique_ptr<Transport> make_iceoryx(unsigned readers) {
    return std::make_unique<Iceoryx>(readers);
}

}  // namespace ringcast::bench
