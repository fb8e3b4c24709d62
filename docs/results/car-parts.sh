#!/usr/bin/env bash
# Everything behind car-parts.md, from the shared files to the report. Goes on where it was cut off.
# usage: docs/results/car-parts.sh OUT      (SHARED=../shared by default)
set -euo pipefail
out=$1
here=$(dirname "$0")
photos=${SHARED:-../shared}/data/photos/car_parts
export OMP_NUM_THREADS=1

clearcoat dataset import coco "$photos/annotations.json" --images "$photos" \
  --map examples/classes/car_parts_13.yaml --out "$out/photos"

# 4,160 renders of 1,040 vehicles, and of 260 for the earlier grid: 64 are held back to stop on.
clearcoat render "$here/car-parts/family4.yaml" --seed 11 --count 4160 --size 96 --out "$out/renders"
clearcoat render "$here/car-parts/family16.yaml" --seed 11 --count 4160 --size 96 --out "$out/renders16"

cp "$here"/car-parts/*.yaml "$out"
clearcoat study supplement "$out/grid.yaml" --out "$out/study" --threads 1
# The photos set apart, once.
grep -q '"kind":"look"' "$out/study/ledger.jsonl" || clearcoat study confirm "$out/study"
clearcoat report "$out/study" --out "$out/report.html" --photos 16 --files "$out/report"

# Fewer renders: what stands in both grids was trained above. Larger images.
mkdir -p "$out/columns"
[ -e "$out/columns/ledger.jsonl" ] || cp "$out/study/ledger.jsonl" "$out/columns"
for study in columns grid96; do
  clearcoat study supplement "$out/$study.yaml" --out "$out/$study" --threads 1
done

# A small U-Net in its place. Both write into one ledger; the grid is what the report is of, so it comes last.
for study in unet-control unet; do
  clearcoat study supplement "$out/$study.yaml" --out "$out/unet" --threads 1
done
clearcoat report "$out/unet" --out "$out/unet.html" --photos 16

# Where training starts. Photos alone were trained above; the look at the photos set apart is this study's own.
if [ ! -e "$out/transfer/ledger.jsonl" ]; then
  mkdir -p "$out/transfer/runs"
  cp -r "$out"/{study,unet}/runs/. "$out/transfer/runs"
  grep -hEv '"kind":"(look|confirmation)"' "$out"/{study,unet}/ledger.jsonl > "$out/transfer/ledger.jsonl"
fi
clearcoat study transfer "$out/transfer.yaml" --out "$out/transfer" --threads 1 --remake-weights
grep -q '"kind":"look"' "$out/transfer/ledger.jsonl" || clearcoat study confirm "$out/transfer"
clearcoat report "$out/transfer" --out "$out/transfer.html" --files "$out/transfer-report"

# How long, and on what, to train: docs/decisions/0029-recipe.md.
python "$here/car-parts/recipe.py" "$out"
