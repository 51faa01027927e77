# shellcheck shell=bash
# Shared by scripts/package and scripts/archive, which source it behind lib.sh: their arguments, the build that both are
# made from, and doing it all in a Debian of another release or for another architecture.

revision=1
suite=
architecture=
into=
here=
while (($#)); do
  case $1 in
    --here) here=yes && shift && continue ;;
    --revision) revision=${2:?--revision needs a number} ;;
    --suite) suite=${2:?--suite needs a name: bookworm, trixie} ;;
    --arch) architecture=${2:?--arch needs a name: amd64, arm64} ;;
    --into) into=$(realpath -m "${2:?--into needs a directory}") ;;
    *) die "unknown argument \"$1\" (--revision N, --suite NAME, --arch NAME, --into DIR, --here)" ;;
  esac
  shift 2
done
command -v dpkg >/dev/null || die "packages are built on Debian; this is none"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
debian_release=$(. /etc/os-release && echo "${VERSION_ID:-}")
machine=$(dpkg --print-architecture)
: "${suite:=$codename}" "${architecture:=$machine}"
case $architecture in amd64 | arm64) ;; *) die "--arch $architecture is not known: amd64, arm64" ;; esac
[[ $architecture == "$machine" || -e $root/packaging/toolchains/$architecture.cmake ]] ||
  die "for $architecture nothing is known of how to build it on $machine (packaging/toolchains)"
if [[ -n $here ]]; then
  [[ $suite == "$codename" ]] || die "--here is $codename, not $suite"
elif [[ $suite != "$codename" || $architecture != "$machine" ]]; then
  # Libraries of two architectures displace each other, and those of another release are not here at all.
  exec "$root/scripts/in-debian" --results "${into:-$root/build/${0##*/}}" "$suite" \
    "scripts/${0##*/}" --here --revision "$revision" --arch "$architecture" --into build/results
fi

version=$(head -n 1 "$root/VERSION")
git_here() { git -C "$root" -c safe.directory="$root" "$@" 2>/dev/null; }
# The Debian that it is of is in the version, so that one repository can have both, and the newer one is the higher.
package_revision=$revision~deb${debian_release:-0}u1
triplet=$([[ $architecture == arm64 ]] && echo aarch64-linux-gnu || echo x86_64-linux-gnu)
setup_options=(--page --archive)
[[ $architecture == "$machine" ]] || setup_options+=(--cross "$architecture")
"$root/scripts/setup" "${setup_options[@]}"

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git_here log -1 --format=%ct || stat -c %Y "$root/VERSION")}
export SOURCE_DATE_EPOCH
# What the archives say of permissions must not depend on who builds.
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
# Nor on how who builds has set up the compiler's cache: told to, it rewrites the paths that end up in assertions.
export CCACHE_BASEDIR='' CCACHE_HASHDIR=1

# build_programs: the preset `package`, anew unless the last one was of this very commit and these settings: objects of an
# earlier build need not be of these sources.
build_programs() {
  local built="$root/build/package/built-from" options settings
  options=("-DWRITECANARY_PACKAGE_REVISION=$package_revision" "-DWRITECANARY_CODENAME=$codename")
  # Where dpkg of the release has /lib as a link, a package must not have files there.
  if [[ $codename != bookworm ]]; then options+=(-DWRITECANARY_UNIT_DIR=/usr/lib/systemd/system); fi
  if [[ $architecture != "$machine" ]]; then
    options+=("-DCMAKE_TOOLCHAIN_FILE=$root/packaging/toolchains/$architecture.cmake")
  fi
  settings="$(git_here rev-parse HEAD || true) $architecture ${options[*]} $SOURCE_DATE_EPOCH"
  if [[ -z $(git_here status --porcelain || echo unknown) && -e $built && $(<"$built") == "$settings" ]]; then return; fi
  rm -rf "$root/build/package"
  build_preset package -- "${options[@]}"
  printf '%s\n' "$settings" >"$built"
}

# sbom FILE CONTAINS|DYNAMIC_LINK PACKAGE...: beside the artefact.
sbom() {
  local file=$1 relation=$2
  shift 2
  "$root/packaging/materials/sbom" --artefact "$file" --version "$version" --codename "$codename" --relation "$relation" \
    "$@" >"$file.spdx.json"
}
