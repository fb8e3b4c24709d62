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

# 4,160 renders: 64 are held back to stop on. Two casts of the family, two series of each model.
render() {
  clearcoat render "$1" --seed "$2" --count "$3" --size 128 --out "$out/$4"
}
render "$here/car-parts/family8.yaml" 11 1024 family_a
render "$here/car-parts/family16.yaml" 24 1024 family_b
render examples/vehicles/bmw_m6.yaml 11 344 bmw_a
render examples/vehicles/bmw_m6.yaml 21 406 bmw_b
render examples/vehicles/asam_vehicle.yaml 12 340 asam_a
render examples/vehicles/asam_vehicle.yaml 22 341 asam_b
render examples/vehicles/car_concept.yaml 13 340 concept_a
render examples/vehicles/car_concept.yaml 23 341 concept_b
clearcoat dataset merge "$out"/family_{a,b} "$out"/{bmw,asam,concept}_{a,b} --out "$out/renders"

# The third study's: of the family alone, 4,160 of 260 vehicles.
clearcoat render "$here/car-parts/family16.yaml" --seed 11 --count 4160 --size 96 --out "$out/family"

cp "$here"/car-parts/*.yaml "$out"
# The second study finds the first one's models on photos alone in the ledger that both share.
for study in grid long; do
  clearcoat study supplement "$out/$study.yaml" --out "$out/studies" --threads 1
  clearcoat report "$out/studies" --out "$out/$study.html" --photos 16 --files "$out/$study"
done
clearcoat study supplement "$out/control.yaml" --out "$out/control" --threads 1
clearcoat study supplement "$out/family.yaml" --out "$out/third" --threads 1
clearcoat report "$out/third" --out "$out/family.html" --photos 16 --files "$out/family_figures"
