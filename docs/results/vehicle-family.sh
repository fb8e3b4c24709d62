#!/usr/bin/env bash
# Everything behind vehicle-family.md, from the shared files to the reports. Goes on where it was cut off.
# usage: docs/results/vehicle-family.sh OUT      (SHARED=../shared by default)
set -euo pipefail
out=$1
here=$(dirname "$0")
photos=${SHARED:-../shared}/data/photos/car_parts
export OMP_NUM_THREADS=1

clearcoat dataset import coco "$photos/annotations.json" --images "$photos" \
  --map examples/classes/car_parts_13.yaml --out "$out/photos"

# 64 of each set are held back to stop on.
render() {
  clearcoat render "$1" --seed "$2" --count "$3" --size 96 --out "$out/$4"
}
render "$here/car-parts/family16.yaml" 11 1088 family
render examples/vehicles/bmw_m6.yaml 11 363 bmw
render examples/vehicles/asam_vehicle.yaml 12 363 asam
render examples/vehicles/car_concept.yaml 13 362 concept
clearcoat dataset merge "$out"/{bmw,asam,concept} --out "$out/shared"
clearcoat dataset merge "$out"/{family,bmw,asam,concept} --out "$out/both"

cp "$here"/vehicle-family/*.yaml "$out"
for arm in family shared both; do
  clearcoat study supplement "$out/$arm.yaml" --out "$out/studies/$arm" --threads 1
  clearcoat report "$out/studies/$arm" --out "$out/$arm.html"
done
