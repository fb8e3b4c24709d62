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

# The three sets at a size, in a folder of their own. 64 of each are held back to stop on.
sets() {
  local size=$1 family=$2 to="$out/$1"
  mkdir -p "$to"
  ln -sfn ../photos "$to/photos"
  clearcoat render "$family" --seed 11 --count 1088 --size "$size" --out "$to/family"
  clearcoat render examples/vehicles/bmw_m6.yaml --seed 11 --count 363 --size "$size" --out "$to/bmw"
  clearcoat render examples/vehicles/asam_vehicle.yaml --seed 12 --count 363 --size "$size" --out "$to/asam"
  clearcoat render examples/vehicles/car_concept.yaml --seed 13 --count 362 --size "$size" --out "$to/concept"
  clearcoat dataset merge "$to"/{bmw,asam,concept} --out "$to/shared"
  clearcoat dataset merge "$to"/{family,bmw,asam,concept} --out "$to/both"
}

# Studies of a folder of data sets: a ledger and a report each.
study() {
  local to="$out/$1" arm
  shift
  for arm in "$@"; do
    cp "$here/vehicle-family/$arm.yaml" "$to"
    clearcoat study supplement "$to/$arm.yaml" --out "$to/studies/$arm" --threads 1
    clearcoat report "$to/studies/$arm" --out "$to/$arm.html"
  done
}

sets 128 "$here/car-parts/family4.yaml"
# Doors, lids, a quarter panel and odd mirrors of the three models teach nothing here.
without() { python "$here/vehicle-family/ignore.py" "$out/128/$1" "$out/128/$1-ignored" "${@:2}"; }
without bmw 'body_quarter_and_roof_frame*' 'trunk_*' 'door_*' 'window_door*'
without asam '*/Trunk_Lid' '*/License_Plate_R' '*/Door_F*' '*/Window_F[LR]' '*Mirror_Side*'
without concept '*Mirror*' '*BodyDoor[LR]*'
clearcoat dataset merge "$out"/128/{family,bmw-ignored,asam-ignored,concept-ignored} --out "$out/128/both-ignored"
study 128 family shared both family-long shared-long both-long both-xl both-ignored-long

# The earlier round, on shapes and a network of their own.
sets 96 "$here/car-parts/family16.yaml"
study 96 unet-family unet-shared unet-both
