// An echo server on Java's JSSE; tests/interop/peers/base.py says what the arguments mean. The group goes to the
// system property jdk.tls.namedGroups.

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

final class JsseServer {
    private static final int TIMEOUT = 20_000; // milliseconds
    private static final char[] NO_PASSWORD = {};

    public static void main(String[] words) throws Exception {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < words.length; i += 2) given.put(words[i].substring(2), words[i + 1]);
        boolean asks = given.containsKey("clients");

        KeyStore ours = KeyStore.getInstance("PKCS12");
        ours.load(null, null);
        ours.setKeyEntry("server", key(given.get("key")), NO_PASSWORD, chain(given.get("chain")));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(ours, NO_PASSWORD);
        SSLContext context = SSLContext.getInstance("TLSv1.2");
        context.init(keys.getKeyManagers(), asks ? trust(given.get("clients")) : null, null);

        SSLServerSocket listener =
            (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 5, InetAddress.getLoopbackAddress());
        listener.setNeedClientAuth(asks);
        endWithStandardInput();
        System.out.println("ready " + listener.getLocalPort());
        while (true) {
            try (SSLSocket client = (SSLSocket) listener.accept()) {
                serve(client, asks);
            } catch (IOException error) {
                System.out.println("failed " + error.getMessage());
            }
        }
    }

    private static void serve(SSLSocket client, boolean asks) throws IOException {
        client.setSoTimeout(TIMEOUT);
        client.startHandshake();
        SSLSession session = client.getSession();
        String name = asks ? session.getPeerPrincipal().getName().replaceFirst(".*CN=([^,]*).*", "$1") : "-";
        System.out.println("connected suite=" + session.getCipherSuite() + " client=" + name);
        client.getInputStream().transferTo(client.getOutputStream());
    }

    private static Certificate[] chain(String path) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new Certificate[0]);
        }
    }

    private static PrivateKey key(String path) throws IOException, GeneralSecurityException {
        String base64 = Files.readString(Path.of(path)).replaceAll("-----[^-]*-----|\\s", "");
        PKCS8EncodedKeySpec encoded = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
        try {
            return KeyFactory.getInstance("EC").generatePrivate(encoded);
        } catch (GeneralSecurityException notThat) {
            return KeyFactory.getInstance("RSA").generatePrivate(encoded);
        }
    }

    private static TrustManager[] trust(String path) throws IOException, GeneralSecurityException {
        KeyStore authorities = KeyStore.getInstance("PKCS12");
        authorities.load(null, null);
        authorities.setCertificateEntry("clients", chain(path)[0]);
        TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX");
        managers.init(authorities);
        return managers.getTrustManagers();
    }

    private static void endWithStandardInput() {
        Thread watcher = new Thread(() -> {
            try {
                System.in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException gone) {
                // the end as well
            }
            System.exit(0);
        });
        watcher.setDaemon(true);
        watcher.start();
    }
}
