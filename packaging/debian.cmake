# The .deb: metadata, maintainer scripts and what Debian wants in /usr/share/doc. CPack writes the archive.
set(WRITECANARY_PACKAGE_REVISION 1 CACHE STRING "Of the packaging; goes behind the version")
set(WRITECANARY_CODENAME bookworm CACHE STRING "The Debian that it is for")

# The date of the package is that of its sources: SOURCE_DATE_EPOCH, which scripts/package takes from the last commit.
string(TIMESTAMP DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(debian/changelog.in ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian @ONLY)
gzip_file(${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian changelog.Debian ${DOC})
install(FILES debian/copyright DESTINATION ${DOC})
install(FILES debian/lintian-overrides RENAME writecanary DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides)

set(SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian)
set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME writecanary)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # for the two absolute destinations, /etc and /lib
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${WRITECANARY_PACKAGE_REVISION})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The writecanary authors <maintainers@writecanary.example>")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# systemd-sysusers and systemd-tmpfiles are what the maintainer scripts call.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd (>= 250), init-system-helpers (>= 1.54~), tzdata")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "canary for silent write corruption")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Watches filesystems for bytes that the kernel said it wrote and did not keep:
duplicated, lost, torn, misplaced or stale data. Such corruption raises no
error, so a daemon provokes it in short runs on a schedule, verifies every
acknowledged byte, and reports through a JSON API, Prometheus metrics and a
web page.

A command line makes the same runs without the daemon.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${SCRIPTS}/conffiles;${SCRIPTS}/postinst;${SCRIPTS}/prerm;${SCRIPTS}/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
