// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>

#include <memory>
#include <string>

#include "redactor.hpp"

namespace ringcast::host {

/// spdlog's pattern with the text of each line cleaned of secrets, whoever wrote it.
class RedactingFormatter final : public spdlog::formatter {
public:
    RedactingFormatter(std::unique_ptr<spdlog::formatter> inner, std::shared_ptr<const Redactor> redactor)
        : inner_(std::move(inner)), redactor_(std::move(redactor)) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::string text = redactor_->clean({message.payload.data(), message.payload.size()});
        spdlog::details::log_msg clean = message;
        clean.payload = text;
        inner_->format(clean, out);
        message.color_range_start = clean.color_range_start;  // where the terminal sink puts its colours
        message.color_range_end = clean.color_range_end;
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<RedactingFormatter>(inner_->clone(), redactor_);
    }

private:
    std::unique_ptr<spdlog::formatter> inner_;
    std::shared_ptr<const Redactor> redactor_;
};

}  // namespace ringcast::host
