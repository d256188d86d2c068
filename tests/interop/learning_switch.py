# SPDX-License-Identifier: Apache-2.0
"""A learning switch for os-ken, OpenFlow 1.3: run it, it listens on port 6653."""
from os_ken import cfg
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}

    @staticmethod
    def add_rule(switch, priority, match, actions):
        parser, ofp = switch.ofproto_parser, switch.ofproto
        switch.send_msg(parser.OFPFlowMod(
            datapath=switch, priority=priority, match=match,
            instructions=[parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, actions)]))

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, event):
        switch = event.msg.datapath
        parser, ofp = switch.ofproto_parser, switch.ofproto
        self.add_rule(switch, 0, parser.OFPMatch(),
                      [parser.OFPActionOutput(ofp.OFPP_CONTROLLER, ofp.OFPCML_NO_BUFFER)])

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        message = event.msg
        switch = message.datapath
        parser, ofp = switch.ofproto_parser, switch.ofproto
        in_port = message.match["in_port"]
        assert message.buffer_id == ofp.OFP_NO_BUFFER and len(message.data) == message.total_len
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        self.ports[switch.id, frame.src] = in_port
        out = self.ports.get((switch.id, frame.dst), ofp.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out)]
        if out != ofp.OFPP_FLOOD:
            self.add_rule(switch, 1, parser.OFPMatch(in_port=in_port, eth_src=frame.src, eth_dst=frame.dst), actions)
        switch.send_msg(parser.OFPPacketOut(datapath=switch, buffer_id=ofp.OFP_NO_BUFFER, in_port=in_port, actions=actions,
                                            data=message.data))


if __name__ == "__main__":
    from os_ken import controller
    from os_ken.base.app_manager import AppManager
    from os_ken.lib import hub
    cfg.CONF(args=["--ofp-tcp-listen-port", "6653"], project="os_ken", version="1")
    manager = AppManager.get_instance()
    manager.load_apps(["os_ken.controller.ofp_handler"])
    manager.applications_cls["learning"] = LearningSwitch
    hub.joinall(manager.instantiate_apps(**manager.create_contexts()))
