"""A contract of import-linter: no circle of modules, wherever they are imported."""

from collections import defaultdict
from collections.abc import Mapping

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

Imports = Mapping[str, set[str]]


def find_circles(imports: Imports) -> list[list[str]]:
    """The groups of modules that reach each other, each one sorted.

    Kosaraju's way: who reaches a module, asked from the last one left backwards. A
    module alone counts when it imports itself.
    """
    importers = defaultdict(set)
    for module, others in imports.items():
        for other in others:
            importers[other].add(module)
    left, found = set(order := leaving_order(imports)), []
    for start in reversed(order):
        group, ahead = [], [start]
        while ahead:
            if (module := ahead.pop()) in left:
                left.remove(module)
                group.append(module)
                ahead += importers[module]
        if len(group) > 1 or (group and start in importers[start]):
            found.append(sorted(group))
    return sorted(found)


def leaving_order(imports: Imports) -> list[str]:
    """All modules as a walk in depth leaves them; no recursion, however deep."""
    seen: set[str] = set()
    order = []
    for start in sorted(imports):
        ahead = [(start, False)]
        while ahead:
            module, is_done = ahead.pop()
            if is_done:
                order.append(module)
            elif module not in seen:
                seen.add(module)
                ahead.append((module, True))
                ahead += [(other, False) for other in sorted(imports.get(module, ()))]
    return order


class NoCircles(Contract):
    """No module may reach itself by imports, at the top or inside a function."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Kept when there is no circle."""
        imports = {
            module: graph.find_modules_directly_imported_by(module)
            for module in graph.modules
        }
        circles = find_circles(imports)
        return ContractCheck(kept=not circles, metadata={"circles": circles})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each circle's modules."""
        for circle in check.metadata["circles"]:
            output.print_error(f"{len(circle)} modules import each other:")
            for module in circle:
                output.print_error(f"  {module}")
