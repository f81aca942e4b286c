# socks_pm.pl: Perl's IO::Socket::Socks as a client of a proxy.
#
#     socks_pm.pl tcp|bind|udp PROXY-PORT HOST PORT [USER PASSWORD]
#
# tcp: send what comes on standard input, end, and print the answer. bind: let
# HOST connect; print where the proxy waits, then who came and what it said,
# and answer that. udp: send each line as a datagram, and print what comes back.
use strict;
use warnings;
use IO::Socket::Socks qw(:constants $SOCKS_ERROR);

my ($kind, $proxy, $host, $port, $user, $password) = @ARGV;
my @login = defined $user
  ? (AuthType => 'userpass', Username => $user, Password => $password) : ();
my @common = (ProxyAddr => '127.0.0.1', ProxyPort => $proxy,
              SocksVersion => 5, SocksResolve => 1, Timeout => 15, @login);
$| = 1;

if ($kind eq 'udp') {
  my $sock = IO::Socket::Socks->new(@common, UdpAddr => '127.0.0.1',
                                    UdpPort => 0)
    or die "no association: $SOCKS_ERROR\n";
  while (my $line = <STDIN>) {
    chomp $line;
    $sock->send($line, 0, [$host, $port]) or die "send: $!\n";
    defined $sock->recv(my $answer, 65535) or die "recv: $!\n";
    print "$answer\n";
  }
  exit 0;
}
if ($kind eq 'bind') {
  my $sock = IO::Socket::Socks->new(@common, BindAddr => $host,
                                    BindPort => $port)
    or die "no binding: $SOCKS_ERROR\n";
  print join(' ', 'at', ($sock->dst)[0, 1]), "\n";
  $sock->accept or die "nobody came: $SOCKS_ERROR\n";
  print join(' ', 'from', ($sock->dst)[0, 1]), "\n";
  $sock->sysread(my $said, 65536);
  print "said $said\n";
  $sock->syswrite("answer to $said");
  exit 0;
}
my $sock = IO::Socket::Socks->new(@common, ConnectAddr => $host,
                                  ConnectPort => $port)
  or die "no connection: $SOCKS_ERROR\n";
$sock->syswrite(join '', <STDIN>);
shutdown $sock, 1;
while ($sock->sysread(my $data, 65536)) {
  print $data;
}
