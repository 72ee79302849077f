#!/usr/bin/env bash
# Runs emaconform as the action's inputs say (ROLE, CONFIG, ARGS, BASELINE, STRICT, OUT, SARIF), annotates what was found and writes
# the job's summary. Its own exit code is 0: the last step of the action gates, when everything has been uploaded.
set -uo pipefail
# Arguments as the person wrote them: quoted ones stay whole, and nothing is expanded or run.
args=()
while IFS= read -r argument; do [ -n "$argument" ] && args+=("$argument"); done < <(xargs -n 1 printf '%s\n' <<<"$ARGS")
options=(--out "$OUT")
[ "$ROLE" = server ] && options+=(--config "$CONFIG")
[ -n "$BASELINE" ] && options+=(--baseline "$BASELINE")
[ "$STRICT" = true ] && options+=(--strict)
rm -f "$OUT/report.json" # one that is there after the run is of this run
emaconform "$ROLE" "${options[@]}" ${args[@]+"${args[@]}"}
code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
report=$OUT/report.json
[ -f "$report" ] || exit 0
echo "report=$report" >>"$GITHUB_OUTPUT"
cat "$OUT/summary.md" >>"$GITHUB_STEP_SUMMARY"
findings=(--annotate "$CONFIG")
[ "$SARIF" = true ] && findings+=(--sarif "$CONFIG")
scratch=$(mktemp -d)
emaconform render "$report" --format junit --out "$scratch" "${findings[@]}" | grep '^::'
[ "$SARIF" = true ] && cp "$scratch/report.sarif" "$OUT/report.sarif"
rm -rf "$scratch"
exit 0
