// SPDX-License-Identifier: Apache-2.0
#include "secret_options.hpp"

#include <sys/prctl.h>

#include <algorithm>

#include "plugin_error.hpp"
#include "secret_address.hpp"

namespace ringcast::host {
namespace {

bool is_listed(const char* const* keys, const std::string& key) {
    for (; keys != nullptr && *keys != nullptr; ++keys) {
        if (key == *keys) return true;
    }
    return false;
}

/// Not MADV_DONTDUMP on buffers of ours: a key is copied by every library it goes through, and into freed memory.
void shut_the_process() {
    prctl(PR_SET_DUMPABLE, 0);
}

std::string literal_refused(const std::string& key) {
    std::string text = "option " + key + " is a secret, and every user of this machine can read a command line: use ";
    text += key + "=env:NAME or ";
    text += key + "=file:PATH";
    return text;
}

}  // namespace

Secrecy secrecy_of(const ringcast_sink_plugin_v1& api, const std::string& key) {
    if (is_listed(api.secrets, key)) return Secrecy::secret;
    return is_listed(api.secret_urls, key) ? Secrecy::address : Secrecy::none;
}

SecretOptions::SecretOptions(const ringcast_sink_plugin_v1& api, Values& options, const CommandLine& line,
                             std::shared_ptr<Redactor> redactor)
    : redactor_(std::move(redactor)) {
    for (auto& [key, value] : options) {
        const Secrecy secrecy = secrecy_of(api, key);
        if (secrecy == Secrecy::none) continue;
        const bool is_address = secrecy == Secrecy::address;
        auto source = SecretSource::parse(key, value);
        if (!source && !is_address && !line.was_handed(value)) {
            throw UsageError(literal_refused(key));
        }
        if (source || !is_address || !secret_parts(value).empty()) shut_the_process();
        if (source) value = source->take();
        hide(value, is_address);
        if (source) held_.push_back({std::move(*source), value, value, is_address});
    }
}

void SecretOptions::hide(const std::string& value, bool is_address) const {
    if (is_address) {
        redactor_->hide_in_address(value);
    } else {
        redactor_->hide(value);
    }
}

SecretOptions::Values SecretOptions::look_again() {
    Values changed;
    for (const Held& held : held_) {
        auto value = held.source.look_again();
        if (value && *value != held.value) changed.emplace_back(held.source.option(), std::move(*value));
    }
    for (const auto& [key, value] : changed) {
        const auto same = std::find_if(held_.begin(), held_.end(),
                                       [&name = key](const Held& held) { return held.source.option() == name; });
        hide(value, same->is_address);
        same->value = value;
    }
    return changed;
}

void SecretOptions::settle(const Values& handed, bool accepted) {
    for (Held& held : held_) {
        for (const auto& [key, value] : handed) {
            if (key != held.source.option()) continue;
            if (accepted) {
                held.taken = value;
            } else if (held.value == value) {  // none newer was handed over since
                held.value = held.taken;
            }
        }
    }
}

bool SecretOptions::may_change() const noexcept {
    return std::any_of(held_.begin(), held_.end(), [](const Held& held) { return held.source.is_file(); });
}

std::vector<std::string> SecretOptions::warnings() const {
    std::vector<std::string> lines;
    for (const Held& held : held_) {
        if (held.source.is_open_to_all()) {
            lines.push_back(held.source.text() + ": every user of this machine can read that file; chmod 600 it");
        }
        if (const char* const where = blank_in(held.value)) {
            lines.push_back(held.source.text() + ": a blank " + where +
                            " the value is sent as part of it; is it meant to be there?");
        }
    }
    return lines;
}

}  // namespace ringcast::host
