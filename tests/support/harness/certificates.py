"""Certificates for a test, made by openssl as an operator would make them."""

import os
import subprocess


class Authority:
    """A certificate authority in a directory of its own; `path` is its certificate."""

    def __init__(self, directory, name):
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        self.path = self._file("ca.pem")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-keyout", self._file("ca.key"), "-out", self.path, "-days", "2", "-subj", f"/CN={name}",
                      "-addext", "keyUsage = critical, keyCertSign, cRLSign")  # without it strict clients refuse it

    def issue(self, name, address=None, names=(), rsa=False):
        """(certificate, key): paths of a certificate for the name, and for address and names when it is a server's."""
        certificate, key, request = (self._file(f"{name}.{kind}") for kind in ("pem", "key", "csr"))
        kind = ["rsa:3072"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        self._openssl("req", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        extensions = self._file("extensions")
        with open(extensions, "w", encoding="ascii") as file:
            server = ", ".join([*([f"IP:{address}"] if address else []), *(f"DNS:{other}" for other in names)])
            file.write("authorityKeyIdentifier = keyid\nsubjectKeyIdentifier = hash\n")
            file.write(f"subjectAltName = {server}\n" if server else "basicConstraints = CA:FALSE\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self._file("ca.key"),
                      "-CAcreateserial", "-out", certificate, "-days", "2", "-extfile", extensions)
        return certificate, key

    def _file(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
