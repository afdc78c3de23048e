// SPDX-License-Identifier: Apache-2.0
/*
 * C++: the chain goes through virtual calls, templates, a std::function and frames with destructors and handlers of
 * exceptions; one round in eight ends by an exception that leaves all thirty. `chain SECONDS TRUTH`.
 */
#define PLANTED_UNIT 200000
#include "planted.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace shapes
{

struct Unwound {
	std::string text;
	explicit Unwound(uint64_t n) : text(std::to_string(n)) {}
	~Unwound() { planted_sink = planted_sink + text.size(); }
};

struct Node {
	virtual ~Node() = default;
	virtual uint64_t visit_virtual(uint64_t n) = 0;
};

struct Inner final : Node {
	PLANTED uint64_t visit_virtual(uint64_t n) override
	{
		Unwound keeps(n);
		uint64_t got = level_01(n);

		if (n % 8 == 7)
			throw std::runtime_error(keeps.text);
		return got + keeps.text.size();
	}
};

template <typename T> PLANTED uint64_t pass_template(Node &node, T n)
{
	Unwound keeps(static_cast<uint64_t>(n));

	return node.visit_virtual(static_cast<uint64_t>(n)) + keeps.text.size();
}

PLANTED uint64_t through_function(const std::function<uint64_t(uint64_t)> &call, uint64_t n)
{
	return call(n) + (planted_sink & 1);
}

} // namespace shapes

PLANTED void drive(uint64_t until)
{
	std::unique_ptr<shapes::Node> node = std::make_unique<shapes::Inner>();

	for (uint64_t n = 0; planted_cpu_ns() < until; n++) {
		try {
			shapes::through_function(
				[&](uint64_t m) { return shapes::pass_template<long>(*node, static_cast<long>(m)) + 1; }, n);
		} catch (const std::runtime_error &caught) {
			planted_sink = planted_sink + caught.what()[0];
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	drive(static_cast<uint64_t>(std::atof(argv[1]) * 1e9));

	FILE *truth = planted_truth_open(argv[2]);

	/* What std::function puts between is the library's own affair. */
	planted_truth_chain(truth, "main drive through_function * pass_template visit_virtual");
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
